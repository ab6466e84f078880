-- What came in or was settled since the last time, and all records of the run.
SELECT
    contact_key::text,
    operation,
    type_campaign,
    campaign_id,
    customer_id,
    cod_act,
    contacted_at,
    state,
    reason,
    response_code,
    response_msg,
    attempts,
    staged_at,
    sent_at,
    settled_at,
    CASE WHEN state = 'pending' THEN not_before END AS not_before,
    dag_id,
    dag_run_id
FROM wolkvox.codification
WHERE operation = %(operation)s
    AND state <> 'held' -- nothing became of it yet
    AND id IN (
        SELECT id FROM wolkvox.codification WHERE id > %(above)s
        UNION ALL
        SELECT id FROM wolkvox.codification WHERE operation = %(operation)s AND settled_at >= %(since)s
        UNION ALL
        SELECT id FROM wolkvox.codification WHERE dag_run_id = %(dag_run_id)s
    )
