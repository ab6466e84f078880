-- Where the records of some chunks are by now: still in their chunk, in another run's hands, or gone.
-- The worker of a chunk writes the list of its records when it ends; one that was killed has written none.
SELECT
    chunk.chunk_id,
    record.state,
    coalesce(record.chunk_id = chunk.chunk_id, false) AS is_own,
    record.dag_id,
    record.dag_run_id,
    coalesce(record.not_before > chunk.made_at, false) AS deferred,
    suspended_campaign.operation IS NOT NULL AS is_suspended,
    count(*) AS records,
    count(*) FILTER (
        WHERE record.reason LIKE 'unknown%%' AND record.state IN ('failed', 'pending', 'sending')
    ) AS unknown,
    count(*) FILTER (WHERE record.attempts > 1) AS resent
FROM wolkvox.chunk
CROSS JOIN LATERAL (
    SELECT unnest(chunk.ids) AS id
    UNION
    SELECT id
    FROM wolkvox.codification
    WHERE codification.dag_run_id = chunk.dag_run_id AND codification.chunk_id = chunk.chunk_id
) AS member
LEFT JOIN wolkvox.codification AS record ON record.id = member.id
LEFT JOIN wolkvox.suspended_campaign
    ON suspended_campaign.operation = record.operation
    AND suspended_campaign.type_campaign = record.type_campaign
    AND suspended_campaign.campaign_id = record.campaign_id
WHERE chunk.chunk_id = ANY(%(chunk_ids)s)
    -- What another chunk of the same run has sent since is accounted for there.
    AND NOT coalesce(
        record.chunk_id <> chunk.chunk_id
        AND (record.dag_id, record.dag_run_id) = (chunk.dag_id, chunk.dag_run_id),
        false
    )
GROUP BY chunk.chunk_id, record.state, is_own, record.dag_id, record.dag_run_id, deferred, suspended_campaign.operation
