SELECT type_campaign, campaign_id
FROM wolkvox.codification AS record
WHERE operation = %(operation)s
    AND state = 'pending'
    AND (not_before IS NULL OR not_before <= clock_timestamp())
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.parked
        WHERE parked.operation = record.operation
            AND parked.type_campaign = record.type_campaign
            AND parked.campaign_id = record.campaign_id
    )
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.export
        WHERE export.operation = record.operation
            AND export.campaign_id = record.campaign_id
            AND export.asked_at BETWEEN clock_timestamp() - %(again)s AND clock_timestamp()
    )
GROUP BY type_campaign, campaign_id
HAVING count(*) >= %(fewest)s
ORDER BY count(*) DESC, type_campaign, campaign_id
