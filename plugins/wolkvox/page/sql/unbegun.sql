-- Chunks of running runs since which no task has taken a slot, for longer than a task takes to start: nobody sends.
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
    -- Its slot may be another operation's by now, where two share a token.
    AND NOT EXISTS (
        SELECT FROM wolkvox.codification WHERE id = chunk.ids[1] AND sent_at >= chunk.made_at
    )
GROUP BY chunk.dag_id, chunk.dag_run_id
ORDER BY min(chunk.made_at)
LIMIT 1
