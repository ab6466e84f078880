-- Every operation that has settled contacts or daily digests: one search of the index for each, however many contacts.
WITH RECURSIVE settled AS (
    SELECT min(operation) AS operation FROM wolkvox.codification WHERE settled_at IS NOT NULL
    UNION ALL
    SELECT (
        SELECT min(codification.operation)
        FROM wolkvox.codification
        WHERE codification.settled_at IS NOT NULL AND codification.operation > settled.operation
    )
    FROM settled
    WHERE settled.operation IS NOT NULL
)
SELECT operation FROM settled WHERE operation IS NOT NULL
UNION
SELECT operation FROM wolkvox.daily_digest
ORDER BY operation
