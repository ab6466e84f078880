-- With coded contacts, or with customers who must not be dialled: of all that wolkvox has.
SELECT type_campaign, campaign_id, count(*) FILTER (WHERE state = 'coded')::integer AS coded
FROM recent
WHERE state = 'coded'
    OR (
        protected_until IS NOT NULL
        AND state <> 'invalid'
        AND NOT EXISTS (
            SELECT
            FROM wolkvox.suspended_campaign
            WHERE suspended_campaign.operation = %(operation)s
                AND suspended_campaign.type_campaign = recent.type_campaign
                AND suspended_campaign.campaign_id = recent.campaign_id
        )
    )
GROUP BY type_campaign, campaign_id
ORDER BY campaign_id, type_campaign
