-- What this audit found lost is sent again, as if it had never been; not before a later contact, which counts instead.
UPDATE wolkvox.codification AS record
SET state = 'pending', reason = 'audit_missing', settled_at = NULL, not_before = NULL, attempts = 0
WHERE operation = %(operation)s
    AND type_campaign = %(type_campaign)s
    AND campaign_id = %(campaign_id)s
    AND state = 'coded'
    AND audit = 'missing'
    AND settled_at >= %(since)s
    AND audited_at >= %(begun)s
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.codification AS later
        WHERE later.operation = record.operation
            AND later.type_campaign = record.type_campaign
            AND later.campaign_id = record.campaign_id
            AND later.customer_id = record.customer_id
            AND later.contacted_at > record.contacted_at
            AND later.state <> 'invalid'
    )
