SELECT
    span.starts_at,
    span.ends_at,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM record.settled_at - record.contacted_at)::float),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM record.settled_at - record.contacted_at)::float)
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (starts_at, ends_at)
LEFT JOIN LATERAL (
    SELECT record.settled_at, record.contacted_at
    FROM wolkvox.codification AS record
    WHERE record.operation = %(operation)s
        AND record.settled_at >= span.starts_at
        AND record.settled_at < span.ends_at
        AND record.state = 'coded'
    OFFSET 0 -- As in count_spans: span by span, each by the index.
) AS record ON true
GROUP BY span.starts_at, span.ends_at
