-- What is known of a DAG's trigger and stages, and whose contacts it stages; a row of nulls before the first stage.
SELECT
    clock_timestamp() AS now,
    dag.operation,
    watch.cron,
    watch.timezone,
    watch.wake_seconds,
    watch.stage_began_at,
    watch.staged_at,
    watch.since,
    watch.row_count,
    watch.newest,
    watch.fruitful,
    watch.polled_at,
    watch.event_at,
    watch.event_saw,
    watch.event_repeats
FROM (SELECT %(dag_id)s::text AS dag_id) AS asked
LEFT JOIN wolkvox.watch USING (dag_id)
LEFT JOIN wolkvox.dag USING (dag_id)
