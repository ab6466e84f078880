SELECT campaign.type_campaign, campaign.campaign_id, record.dag_run_id
FROM unnest(%(types)s::text[], %(campaigns)s::text[], %(lasts)s::timestamptz[])
    AS campaign (type_campaign, campaign_id, last_at)
CROSS JOIN LATERAL (
    SELECT dag_run_id
    FROM wolkvox.codification
    WHERE settled_at = campaign.last_at
        AND operation = %(operation)s
        AND type_campaign IS NOT DISTINCT FROM campaign.type_campaign
        AND campaign_id IS NOT DISTINCT FROM campaign.campaign_id
    LIMIT 1
) AS record
