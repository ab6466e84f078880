-- Contacts of customers who aren't in the campaign count only when their delay is over: no export is asked for them
-- alone.
SELECT campaign_id, array_agg(DISTINCT type_campaign)
FROM wolkvox.codification AS record
WHERE operation = %(operation)s
    AND state = 'pending'
    AND (not_before IS NULL OR not_before <= clock_timestamp())
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.suspended_campaign
        WHERE suspended_campaign.operation = record.operation
            AND suspended_campaign.type_campaign = record.type_campaign
            AND suspended_campaign.campaign_id = record.campaign_id
    )
GROUP BY campaign_id
HAVING count(*) >= %(fewest)s
ORDER BY count(*) DESC, campaign_id
