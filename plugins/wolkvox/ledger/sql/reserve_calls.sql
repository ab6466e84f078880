UPDATE wolkvox.quota
SET calls = quota.calls + room.calls
FROM (
    SELECT
        operation,
        day,
        CASE
            WHEN exhausted_at > now() - %(exhaustion)s THEN 0
            ELSE greatest(0, least(%(want)s, coalesce(call_limit - calls, %(want)s)))
        END AS calls
    FROM wolkvox.quota
    WHERE operation = %(operation)s AND day = %(day)s
    FOR UPDATE
) AS room
WHERE quota.operation = room.operation AND quota.day = room.day
RETURNING room.calls
