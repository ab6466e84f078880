-- Makes these versions the current ones: what came after them is outdated now.
WITH swapped AS (
    DELETE FROM wolkvox.contact_version WHERE outdated = ANY(%(keys)s) RETURNING operation, outdated, current
)
INSERT INTO wolkvox.contact_version (operation, outdated, current)
SELECT operation, current, outdated FROM swapped
ON CONFLICT DO NOTHING
