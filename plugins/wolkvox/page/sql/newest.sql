-- The newest contact among what came in last.
SELECT max(contacted_at)
FROM (
    SELECT operation, contacted_at
    FROM wolkvox.codification
    WHERE state <> 'invalid'
    ORDER BY id DESC
    LIMIT 2000
) AS latest
WHERE operation = %(operation)s AND contacted_at <= now()
