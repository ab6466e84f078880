-- The last arrival before now, and the last one before the same time of each of the last weeks.
SELECT
    (
        SELECT max(ingest_count.staged_at)
        FROM wolkvox.ingest_count
        WHERE ingest_count.operation = %(operation)s AND ingest_count.staged_at <= instant.at
    ) AS last_at,
    instant.at
FROM (
    SELECT week, now() - week * interval '7 days' AS at
    FROM generate_series(0, %(weeks)s) AS week
) AS instant
ORDER BY instant.week
