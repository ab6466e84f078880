-- What was settled within a span of time, and what was left over before: with whether it is due. A contact's age counts
-- from the later of its settlement and its own date, so that none becomes anonymous that the warehouse has yet to give;
-- a date that is a year ahead is none.
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
