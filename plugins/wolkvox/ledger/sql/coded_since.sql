SELECT EXISTS (
    SELECT
    FROM wolkvox.codification
    WHERE settled_at >= %(since)s
        AND state = 'coded'
        AND operation = %(operation)s
        AND (%(campaign_id)s = '' OR type_campaign = %(type_campaign)s AND campaign_id = %(campaign_id)s)
)
