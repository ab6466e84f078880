-- Resumes the suspended campaigns that have no waiting record.
DELETE FROM wolkvox.suspended_campaign
WHERE operation = %(operation)s
    AND until <= clock_timestamp()
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.codification AS record
        WHERE record.operation = suspended_campaign.operation
            AND record.state = 'pending'
            AND record.type_campaign = suspended_campaign.type_campaign
            AND record.campaign_id = suspended_campaign.campaign_id
    )
