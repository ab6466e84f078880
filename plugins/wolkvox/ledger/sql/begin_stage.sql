WITH before AS (
    SELECT stage_began_at
    FROM wolkvox.watch
    WHERE dag_id = %(dag_id)s
)
INSERT INTO wolkvox.watch AS watch (dag_id, cron, timezone, wake_seconds, stage_began_at)
VALUES (
    %(dag_id)s, %(cron)s, %(timezone)s, %(wake)s, CASE WHEN %(usual)s THEN clock_timestamp() END
)
ON CONFLICT (dag_id) DO UPDATE SET
    cron = excluded.cron,
    timezone = excluded.timezone,
    wake_seconds = excluded.wake_seconds,
    stage_began_at = coalesce(excluded.stage_began_at, watch.stage_began_at)
RETURNING
    clock_timestamp() AS began_at,
    (SELECT stage_began_at FROM before) AS before,
    extract(EPOCH FROM clock_timestamp() - polled_at)::float AS poll_age
