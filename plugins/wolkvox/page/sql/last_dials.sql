-- The last dial of each of these records that dialled.sql finds it by, and its cause.
SELECT DISTINCT ON (codification.id)
    codification.id,
    dial.dialled_at,
    dial.breach
FROM wolkvox.codification
INNER JOIN wolkvox.dial ON dial.codification_id = codification.id
WHERE codification.id = ANY(%(ids)s)
    AND CASE %(dialled)s
        WHEN 'after' THEN dial.dialled_at > codification.settled_at
            AND (codification.protected_until IS NULL OR dial.dialled_at < codification.protected_until)
        WHEN 'before' THEN dial.dialled_at <= codification.settled_at
        ELSE dial.breach = %(dialled)s
    END
ORDER BY codification.id, dial.dialled_at DESC
