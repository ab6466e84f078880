-- Notes which of the contacts whose code was changed once are among these.
INSERT INTO seen (contact_key)
SELECT incoming.contact_key
FROM incoming
INNER JOIN (
    SELECT outdated AS contact_key FROM wolkvox.contact_version WHERE operation = %(operation)s
    UNION
    SELECT current FROM wolkvox.contact_version WHERE operation = %(operation)s
) AS version USING (contact_key)
