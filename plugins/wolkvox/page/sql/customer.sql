-- A customer's records, the newest contact first, each with how many there are; each branch has an index of its own.
WITH found AS (
    SELECT id
    FROM wolkvox.codification
    WHERE customer_id = ANY(%(customers)s) AND operation = %(operation)s AND state NOT IN ('pending', 'sending')
    UNION ALL
    SELECT id
    FROM wolkvox.codification
    WHERE customer_id = ANY(%(customers)s) AND operation = %(operation)s AND state = 'pending'
    UNION ALL
    SELECT id
    FROM wolkvox.codification
    WHERE customer_id = ANY(%(customers)s) AND operation = %(operation)s AND state = 'sending'
)
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
    protected_until,
    (SELECT count(*) FROM found) AS there_are
FROM wolkvox.codification
INNER JOIN found USING (id)
ORDER BY contacted_at DESC NULLS LAST, id DESC
LIMIT %(limit)s
