-- A DAG's operation, schedule, last stage and last events; a row of nulls before the first stage. Dates in the future
-- were written by a clock that was ahead, and are left out.
WITH server AS MATERIALIZED (
    SELECT clock_timestamp() AS now
)

SELECT
    server.now,
    dag.operation,
    watch.cron,
    watch.timezone,
    watch.wake_seconds,
    EXISTS(
        SELECT
        FROM pg_locks
        WHERE locktype = 'advisory'
            AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid = %(lock)s::oid
            AND objid = (hashtext(asked.dag_id)::bigint & 4294967295)::oid
            AND objsubid = 2
    ) AS stage_lives,
    CASE WHEN watch.stage_began_at <= server.now THEN watch.stage_began_at END,
    CASE WHEN watch.staged_at <= server.now THEN watch.staged_at END,
    watch.since,
    watch.row_count,
    watch.newest,
    watch.fruitful,
    CASE WHEN watch.polled_at <= server.now THEN watch.polled_at END,
    CASE WHEN watch.event_at <= server.now THEN watch.event_at END,
    watch.event_saw,
    watch.event_repeats
FROM (SELECT %(dag_id)s::text AS dag_id) AS asked
CROSS JOIN server
LEFT JOIN wolkvox.watch USING (dag_id)
LEFT JOIN wolkvox.dag USING (dag_id)
