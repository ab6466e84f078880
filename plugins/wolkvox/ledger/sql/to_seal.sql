SELECT
    id,
    customer_id,
    type_campaign,
    campaign_id,
    cod_act,
    cod_act_2,
    contacted_at,
    channel,
    direct,
    protected_until,
    staged_at,
    state,
    reason,
    response_code,
    settled_at
FROM wolkvox.codification
WHERE operation = %(operation)s
    AND settled_at >= %(day)s::date::timestamp AT TIME ZONE 'UTC'
    AND settled_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
    AND state NOT IN ('pending', 'sending')
ORDER BY id
