-- What came after these versions is outdated now.
WITH turned AS (
    DELETE FROM wolkvox.contact_version WHERE outdated = ANY(%(keys)s) RETURNING operation, outdated, current
)
INSERT INTO wolkvox.contact_version (operation, outdated, current)
SELECT operation, current, outdated FROM turned
ON CONFLICT DO NOTHING
