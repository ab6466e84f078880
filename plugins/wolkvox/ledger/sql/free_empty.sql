-- A suspended campaign of which no record waits any more is resumed.
DELETE FROM wolkvox.parked
WHERE operation = %(operation)s
    AND until <= clock_timestamp()
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.codification AS record
        WHERE record.operation = parked.operation
            AND record.state = 'pending'
            AND record.type_campaign = parked.type_campaign
            AND record.campaign_id = parked.campaign_id
    )
