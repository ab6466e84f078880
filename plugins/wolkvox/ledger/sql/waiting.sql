SELECT
    record.id,
    record.type_campaign,
    record.campaign_id,
    record.customer_id,
    record.cod_act,
    record.cod_act_2,
    record.comment,
    record.attempts,
    record.not_before IS NOT NULL
FROM wolkvox.codification AS record
INNER JOIN wolkvox.chunk USING (chunk_id)
WHERE record.dag_run_id = %(dag_run_id)s
    AND record.chunk_id = %(chunk_id)s
    AND record.state = 'pending'
    AND record.attempts < %(calls)s
    AND (record.not_before IS NULL OR record.not_before <= chunk.made_at)
ORDER BY record.contacted_at DESC, record.id DESC
