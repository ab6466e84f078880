-- How late what was coded in the last hour was, in seconds, and in the same hour of days before.
SELECT
    compared.days,
    count(record.lag) AS records,
    count(record.lag) FILTER (WHERE record.lag <= %(target)s) AS within,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY record.lag) AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY record.lag) AS p95,
    max(record.lag) AS worst
FROM unnest(%(days)s::integer[]) AS compared (days)
LEFT JOIN LATERAL (
    SELECT extract(EPOCH FROM settled_at - contacted_at)::float AS lag
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND settled_at > now() - make_interval(days => compared.days, hours => 1)
        AND settled_at <= now() - make_interval(days => compared.days)
        AND state = 'coded'
    OFFSET 0 -- Hour by hour, each by the index.
) AS record ON true
GROUP BY compared.days
ORDER BY compared.days
