-- Returns the block of this name if there is one: reserved twice, it counts once.
WITH done AS (
    DELETE FROM wolkvox.reservation WHERE name = %(used_up)s
), reserved AS (
    SELECT requests FROM wolkvox.reservation WHERE name = %(name)s
), room AS (
    SELECT
        account,
        day,
        CASE
            WHEN exhausted_at BETWEEN clock_timestamp() - %(belief)s AND clock_timestamp() THEN 0
            -- The last blocks are small, so that no task ends while another one holds requests that it may not need.
            WHEN request_limit IS NULL THEN %(want)s
            ELSE greatest(
                0,
                least(
                    %(want)s,
                    request_limit + %(over_limit)s - requests,
                    greatest(1, (request_limit + %(over_limit)s - requests) / 4)
                )
            )
        END AS requests
    FROM wolkvox.quota
    WHERE account = %(account)s AND day = %(day)s AND NOT EXISTS (SELECT FROM reserved)
    FOR UPDATE
), granted AS (
    UPDATE wolkvox.quota
    SET requests = quota.requests + room.requests
    FROM room
    WHERE quota.account = room.account AND quota.day = room.day
    RETURNING room.requests
), kept AS (
    INSERT INTO wolkvox.reservation (name, account, day, requests)
    SELECT %(name)s, %(account)s, %(day)s, requests FROM granted WHERE requests > 0
)
SELECT requests FROM reserved
UNION ALL
SELECT requests FROM granted
