INSERT INTO wolkvox.quota AS quota (operation, day, call_limit)
VALUES (
    %(operation)s,
    %(day)s,
    least(%(own_limit)s::integer, greatest(0, %(vendor_left)s::integer - %(reserve)s))
)
ON CONFLICT (operation, day) DO UPDATE SET
    call_limit = least(
        %(own_limit)s::integer,
        quota.calls + greatest(0, %(vendor_left)s::integer - %(reserve)s)
    ),
    exhausted_at = CASE WHEN %(vendor_left)s::integer > 0 THEN NULL ELSE quota.exhausted_at END
RETURNING call_limit, calls, exhausted_at > now() - %(exhaustion)s
