-- The last arrival before now and before this moment of each week before.
SELECT
    (
        SELECT max(intake.staged_at)
        FROM wolkvox.intake
        WHERE intake.operation = %(operation)s AND intake.staged_at <= moment.at
    ) AS last_at,
    moment.at
FROM (
    SELECT week, now() - week * interval '7 days' AS at
    FROM generate_series(0, %(weeks)s) AS week
) AS moment
ORDER BY moment.week
