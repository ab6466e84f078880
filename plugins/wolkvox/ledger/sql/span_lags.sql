SELECT
    span.starts_at,
    span.ends_at,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM record.settled_at - record.contacted_at)::float),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM record.settled_at - record.contacted_at)::float)
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (starts_at, ends_at)
LEFT JOIN wolkvox.codification AS record
    ON record.settled_at >= span.starts_at
    AND record.settled_at < span.ends_at
    AND record.operation = %(operation)s
    AND record.state = 'coded'
GROUP BY span.starts_at, span.ends_at
