SELECT span.starts_at, span.ends_at, sum(ingest_count.records)::bigint AS records
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (starts_at, ends_at)
INNER JOIN wolkvox.ingest_count
    ON ingest_count.operation = %(operation)s
    AND ingest_count.staged_at >= span.starts_at
    AND ingest_count.staged_at < span.ends_at
GROUP BY span.starts_at, span.ends_at
