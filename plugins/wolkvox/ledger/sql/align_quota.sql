INSERT INTO wolkvox.quota AS quota (operation, day, vendor_limit, call_limit)
VALUES (
    %(operation)s,
    %(day)s,
    %(vendor_left)s::integer,
    least(%(own_limit)s::integer, %(vendor_left)s::integer)
)
ON CONFLICT (operation, day) DO UPDATE SET
    vendor_limit = coalesce(quota.calls + %(vendor_left)s::integer, quota.vendor_limit),
    call_limit = least(
        %(own_limit)s::integer,
        coalesce(quota.calls + %(vendor_left)s::integer, quota.vendor_limit)
    ),
    exhausted_at = CASE WHEN %(vendor_left)s::integer > 0 THEN NULL ELSE quota.exhausted_at END
RETURNING call_limit, calls, coalesce(exhausted_at > now() - %(exhaustion)s, false)
