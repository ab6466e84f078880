-- A customer's records, the newest contact first; `found` is what they are.
SELECT
    id,
    type_campaign,
    campaign_id,
    customer_id,
    cod_act,
    channel,
    direct,
    contacted_at,
    staged_at,
    state,
    reason,
    response_code,
    response_msg,
    attempts,
    sent_at,
    settled_at,
    CASE WHEN state = 'pending' THEN not_before END AS not_before,
    dag_id,
    dag_run_id,
    audited_at,
    confirmed_at,
    audit,
    shown,
    protected_until
FROM wolkvox.codification
INNER JOIN found USING (id)
ORDER BY contacted_at DESC NULLS LAST, id DESC
LIMIT %(limit)s
