-- The last arrival before now and before this moment of each week before.
SELECT
    (
        SELECT max(ingest_count.staged_at)
        FROM wolkvox.ingest_count
        WHERE ingest_count.operation = %(operation)s AND ingest_count.staged_at <= moment.at
    ) AS last_at,
    moment.at
FROM (
    SELECT week, now() - week * interval '7 days' AS at
    FROM generate_series(0, %(weeks)s) AS week
) AS moment
ORDER BY moment.week
