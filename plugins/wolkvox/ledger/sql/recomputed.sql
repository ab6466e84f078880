WITH stale AS (
    DELETE FROM wolkvox.dirty_hour RETURNING hour
)
DELETE FROM wolkvox.span
WHERE EXISTS (
    SELECT FROM stale WHERE stale.hour < span.ends_at AND stale.hour > span.starts_at - interval '1 hour'
)
