-- The newest contacts that may be sent now, whatever their campaign.
SELECT id, attempts
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
ORDER BY contacted_at DESC, id DESC
LIMIT %(budget)s
FOR UPDATE OF record SKIP LOCKED
