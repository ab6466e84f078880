INSERT INTO wolkvox.watch AS watch (dag_id, cron, timezone, wake_seconds, stage_began_at)
VALUES (
    %(dag_id)s, %(cron)s, %(timezone)s, %(wake)s, CASE WHEN %(usual)s THEN clock_timestamp() END
)
ON CONFLICT (dag_id) DO UPDATE SET
    cron = excluded.cron,
    timezone = excluded.timezone,
    wake_seconds = excluded.wake_seconds,
    stage_began_at = coalesce(excluded.stage_began_at, watch.stage_began_at)
RETURNING clock_timestamp() AS began_at, extract(EPOCH FROM clock_timestamp() - polled_at)::float AS poll_age
