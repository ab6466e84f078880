-- How late what was coded in the last hour was, in seconds.
SELECT
    count(*) AS records,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY lag) AS p95,
    max(lag) AS worst
FROM (
    SELECT extract(epoch FROM settled_at - contacted_at)::float AS lag
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND state = 'coded'
        AND settled_at >= now() - interval '1 hour'
) AS coded
