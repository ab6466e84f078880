UPDATE wolkvox.codification AS record
SET dag_id = chunk.dag_id,
    dag_run_id = chunk.dag_run_id,
    chunk_id = chunk.chunk_id,
    chunk_number = chunk.number
FROM wolkvox.chunk AS chunk
CROSS JOIN LATERAL unnest(chunk.ids) AS member (id)
WHERE chunk.chunk_id = ANY(%(chunk_ids)s)
    AND record.id = member.id
