WITH again AS (
    SELECT id
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND contacted_at >= %(window_start)s
        AND contacted_at < %(window_end)s
        AND contacted_at >= clock_timestamp() - %(expire_after)s -- an older one would expire at once
        AND (state IN ('rejected', 'failed') OR state = 'invalid' AND reason = 'cod_act_unknown')
        AND (state = %(kind)s OR reason = %(kind)s)
        AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
    FOR UPDATE
)
UPDATE wolkvox.codification AS record
SET state = 'pending',
    reason = NULL,
    response_code = NULL,
    response_msg = NULL,
    settled_at = NULL,
    attempts = 0,
    not_before = NULL,
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
FROM again
WHERE record.id = again.id
