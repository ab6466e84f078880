-- Versions of contacts that the warehouse shows again, while it does not show those that came after them.
SELECT DISTINCT contact_version.outdated
FROM wolkvox.contact_version
INNER JOIN seen ON seen.contact_key = contact_version.outdated
WHERE contact_version.operation = %(operation)s
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.contact_version AS other
        INNER JOIN seen AS there ON there.contact_key = other.current
        WHERE other.outdated = contact_version.outdated
    )
