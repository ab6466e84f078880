INSERT INTO wolkvox.quota AS quota (account, day, vendor_limit, request_limit, asked_at)
VALUES (
    %(account)s,
    %(day)s,
    %(vendor_left)s::integer,
    least(%(own_limit)s::integer, %(vendor_left)s::integer),
    CASE WHEN %(vendor_left)s::integer IS NOT NULL THEN clock_timestamp() END
)
ON CONFLICT (account, day) DO UPDATE SET
    (vendor_limit, request_limit) = (
        SELECT figure, least(%(own_limit)s::integer, figure)
        FROM (
            SELECT
                CASE
                    -- Requests reserved and not yet made make the vendor's figure too high by so many.
                    WHEN quota.requests + %(vendor_left)s::integer
                        BETWEEN quota.vendor_limit AND quota.vendor_limit + %(reserved)s
                        THEN quota.vendor_limit
                    ELSE coalesce(quota.requests + %(vendor_left)s::integer, quota.vendor_limit)
                END
        ) AS vendor (figure)
    ),
    asked_at = CASE WHEN %(vendor_left)s::integer IS NOT NULL THEN clock_timestamp() ELSE quota.asked_at END,
    exhausted_at = CASE WHEN %(vendor_left)s::integer > 0 THEN NULL ELSE quota.exhausted_at END
RETURNING
    request_limit,
    requests,
    -- What is of the future was written by a clock that was ahead, and is as good as old.
    coalesce(exhausted_at BETWEEN clock_timestamp() - %(belief)s AND clock_timestamp(), false),
    coalesce(asked_at NOT BETWEEN clock_timestamp() - %(belief)s AND clock_timestamp(), true)
