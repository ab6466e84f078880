-- The contacts settled within a span of time, those left over before, and whether each is due. A contact's age counts
-- from the later one of its settlement and its own date: a contact dated in the future may be pulled again. A date more
-- than a year after the settlement counts as that year.
SELECT
    least(coalesce(contacted_at, settled_at), settled_at + interval '1 year') < %(before)s AS is_due,
    id,
    customer_id,
    contact_key,
    comment IS NOT NULL OR response_msg IS NOT NULL AS has_texts,
    state,
    type_campaign,
    campaign_id,
    cod_act,
    cod_act_2,
    channel
FROM (
    SELECT *
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND settled_at >= %(since)s AND settled_at < %(until)s
    UNION ALL
    SELECT *
    FROM wolkvox.codification
    WHERE id = ANY(%(left_over)s) AND operation = %(operation)s AND settled_at < %(since)s
) AS settled
