SELECT span.starts_at, span.ends_at, span.lag_p50, span.lag_p95
FROM wolkvox.span AS span
INNER JOIN unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS asked (starts_at, ends_at)
    USING (starts_at, ends_at)
WHERE span.operation = %(operation)s
    AND NOT EXISTS (
        SELECT FROM wolkvox.dirty_hour
        WHERE dirty_hour.hour < span.ends_at AND dirty_hour.hour > span.starts_at - interval '1 hour'
    )
