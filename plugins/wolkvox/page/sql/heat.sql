-- The median lag, in seconds, by weekday (1: Monday) and hour of the operation's clock, and how many contacts it is of:
-- the first ones of each hour, so that no hour costs more than that.
SELECT
    extract(ISODOW FROM span.starts_at AT TIME ZONE %(zone)s)::integer AS weekday,
    extract(HOUR FROM span.starts_at AT TIME ZONE %(zone)s)::integer AS hour,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY record.lag) AS p50,
    count(*) AS records
FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz, interval '1 hour') AS span (starts_at)
CROSS JOIN LATERAL (
    SELECT extract(EPOCH FROM settled_at - contacted_at)::float AS lag
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND settled_at >= span.starts_at
        AND settled_at < span.starts_at + interval '1 hour'
        AND state = 'coded'
    ORDER BY settled_at
    LIMIT %(most)s
) AS record
WHERE record.lag IS NOT NULL
GROUP BY weekday, hour
ORDER BY weekday, hour
