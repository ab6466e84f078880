UPDATE wolkvox.codification AS record
SET type_campaign = made.type_campaign,
    campaign_id = made.campaign_id,
    cod_act = made.cod_act,
    cod_act_2 = made.cod_act_2,
    channel = made.channel
FROM unnest(
    %(ids)s::bigint[],
    %(types)s::text[],
    %(campaigns)s::text[],
    %(codes)s::text[],
    %(second_codes)s::text[],
    %(channels)s::text[]
) AS made (id, type_campaign, campaign_id, cod_act, cod_act_2, channel)
WHERE record.id = made.id
