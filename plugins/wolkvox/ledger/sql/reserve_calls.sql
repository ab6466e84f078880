UPDATE wolkvox.quota
SET calls = quota.calls + room.calls
FROM (
    SELECT
        operation,
        day,
        CASE
            WHEN exhausted_at > now() - %(exhaustion)s THEN 0
            -- The last blocks get small, so that no task ends while another one holds calls it may not need.
            WHEN call_limit IS NULL THEN %(want)s
            ELSE greatest(0, least(%(want)s, call_limit - calls, greatest(1, (call_limit - calls) / 4)))
        END AS calls
    FROM wolkvox.quota
    WHERE operation = %(operation)s AND day = %(day)s
    FOR UPDATE
) AS room
WHERE quota.operation = room.operation AND quota.day = room.day
RETURNING room.calls
