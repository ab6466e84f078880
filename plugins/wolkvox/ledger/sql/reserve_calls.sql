-- A block that was granted under this name already is the answer: asked twice, it counts once.
WITH done AS (
    DELETE FROM wolkvox.reservation WHERE name = %(used_up)s
), known AS (
    SELECT calls FROM wolkvox.reservation WHERE name = %(name)s
), room AS (
    SELECT
        operation,
        day,
        CASE
            WHEN exhausted_at BETWEEN clock_timestamp() - %(belief)s AND clock_timestamp() THEN 0
            -- The last blocks get small, so that no task ends while another one holds calls it may not need.
            WHEN call_limit IS NULL THEN %(want)s
            ELSE greatest(
                0,
                least(%(want)s, call_limit + %(beyond)s - calls, greatest(1, (call_limit + %(beyond)s - calls) / 4))
            )
        END AS calls
    FROM wolkvox.quota
    WHERE operation = %(operation)s AND day = %(day)s AND NOT EXISTS (SELECT FROM known)
    FOR UPDATE
), granted AS (
    UPDATE wolkvox.quota
    SET calls = quota.calls + room.calls
    FROM room
    WHERE quota.operation = room.operation AND quota.day = room.day
    RETURNING room.calls
), kept AS (
    INSERT INTO wolkvox.reservation (name, operation, day, calls)
    SELECT %(name)s, %(operation)s, %(day)s, calls FROM granted WHERE calls > 0
)
SELECT calls FROM known
UNION ALL
SELECT calls FROM granted
