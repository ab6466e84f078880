-- What came after these versions is outdated now.
WITH turned AS (
    DELETE FROM wolkvox.changed WHERE outdated = ANY(%(keys)s) RETURNING operation, outdated, current
)
INSERT INTO wolkvox.changed (operation, outdated, current)
SELECT operation, current, outdated FROM turned
ON CONFLICT DO NOTHING
