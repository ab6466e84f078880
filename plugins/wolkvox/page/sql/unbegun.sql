-- Chunks of running runs that no task has begun, for longer than a task takes to start: nobody sends.
SELECT chunk.dag_id, chunk.dag_run_id, count(*)::integer, sum(cardinality(chunk.ids))::integer, min(chunk.made_at)
FROM wolkvox.chunk
INNER JOIN wolkvox.run USING (operation, dag_id, dag_run_id)
WHERE chunk.operation = %(operation)s
    AND run.state = 'running'
    AND chunk.made_at >= run.began_at
    AND chunk.made_at < clock_timestamp() - %(start)s
    AND NOT EXISTS (
        SELECT FROM wolkvox.slot WHERE slot.operation = chunk.operation AND slot.taken_at >= chunk.made_at
    )
    -- Where two operations share a token, the slot may be the other one's by now.
    AND NOT EXISTS (
        SELECT FROM wolkvox.codification WHERE id = chunk.ids[1] AND sent_at >= chunk.made_at
    )
GROUP BY chunk.dag_id, chunk.dag_run_id
ORDER BY min(chunk.made_at)
LIMIT 1
