-- The contacts settled since then and the unsettled ones, each found by an index of its own. Anonymous customers can't
-- be compared.
INSERT INTO recent
SELECT
    id,
    type_campaign,
    campaign_id,
    wolkvox.normalised_id(customer_id),
    cod_act,
    cod_act_2,
    state,
    contacted_at,
    sent_at,
    settled_at,
    protected_until,
    confirmed_at,
    audit,
    shown
FROM (
    SELECT *
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND settled_at >= %(since)s AND customer_id !~ '^#[0-9a-f]{32}$'
    UNION ALL
    SELECT *
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'pending' AND contacted_at >= %(since)s
    UNION ALL
    SELECT *
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'sending' AND contacted_at >= %(since)s
) AS contact
