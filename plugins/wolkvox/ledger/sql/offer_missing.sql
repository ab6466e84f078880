-- What wolkvox has lost is sent again, as if it had never been.
UPDATE wolkvox.codification
SET state = 'pending', reason = 'audit_missing', settled_at = NULL, not_before = NULL, attempts = 0
WHERE operation = %(operation)s
    AND type_campaign = %(type_campaign)s
    AND campaign_id = %(campaign_id)s
    AND state = 'coded'
    AND audit = 'missing'
    AND settled_at >= %(since)s
