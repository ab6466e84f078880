SELECT span.starts_at, span.ends_at, sum(intake.records)::bigint AS records
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (starts_at, ends_at)
INNER JOIN wolkvox.intake
    ON intake.operation = %(operation)s
    AND intake.staged_at >= span.starts_at
    AND intake.staged_at < span.ends_at
GROUP BY span.starts_at, span.ends_at
