UPDATE wolkvox.codification AS record
SET customer_id = made.customer_id,
    contact_key = made.contact_key,
    type_campaign = made.type_campaign,
    campaign_id = made.campaign_id,
    cod_act = made.cod_act,
    cod_act_2 = made.cod_act_2,
    channel = made.channel,
    comment = NULL,
    response_msg = NULL
FROM unnest(
    %(ids)s::bigint[],
    %(customers)s::text[],
    %(keys)s::uuid[],
    %(types)s::text[],
    %(campaigns)s::text[],
    %(codes)s::text[],
    %(second_codes)s::text[],
    %(channels)s::text[]
) AS made (id, customer_id, contact_key, type_campaign, campaign_id, cod_act, cod_act_2, channel)
WHERE record.id = made.id
