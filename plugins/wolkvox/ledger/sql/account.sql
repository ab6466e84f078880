-- Where the records of some chunks are by now: still in their chunk, in another run's hands, or gone.
SELECT
    chunk.chunk_id,
    record.state,
    record.chunk_id IS NOT DISTINCT FROM chunk.chunk_id AS own,
    record.dag_id,
    record.dag_run_id,
    coalesce(record.not_before > chunk.made_at, false) AS put_off,
    parked.operation IS NOT NULL AS parked,
    count(*) AS records,
    count(*) FILTER (WHERE record.reason LIKE 'unknown%%' AND record.state IN ('failed', 'pending', 'sending')) AS unknown,
    count(*) FILTER (WHERE record.attempts > 1) AS resent
FROM wolkvox.chunk AS chunk
CROSS JOIN LATERAL unnest(chunk.ids) AS member (id)
LEFT JOIN wolkvox.codification AS record ON record.id = member.id
LEFT JOIN wolkvox.parked AS parked
    ON parked.operation = record.operation
    AND parked.type_campaign = record.type_campaign
    AND parked.campaign_id = record.campaign_id
WHERE chunk.chunk_id = ANY(%(chunk_ids)s)
GROUP BY chunk.chunk_id, record.state, own, record.dag_id, record.dag_run_id, put_off, parked.operation
