-- Versions of contacts that are in the warehouse again, while those that came after them are not.
SELECT DISTINCT changed.outdated
FROM wolkvox.changed
INNER JOIN seen ON seen.contact_key = changed.outdated
WHERE changed.operation = %(operation)s
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.changed AS other
        INNER JOIN seen AS there ON there.contact_key = other.current
        WHERE other.outdated = changed.outdated
    )
