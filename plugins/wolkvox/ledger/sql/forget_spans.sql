DELETE FROM wolkvox.span
WHERE operation = %(operation)s
    AND NOT EXISTS (
        SELECT FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS kept (starts_at, ends_at)
        WHERE kept.starts_at = span.starts_at AND kept.ends_at = span.ends_at
    )
