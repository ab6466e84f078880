-- Whether the operation has another campaign: one with waiting records, or with a record coded lately.
SELECT
    EXISTS (
        SELECT FROM wolkvox.codification
        WHERE operation = %(operation)s
            AND state = 'pending'
            AND (type_campaign, campaign_id) <> (%(type_campaign)s, %(campaign_id)s)
    )
    OR EXISTS (
        SELECT FROM wolkvox.codification
        WHERE settled_at >= now() - %(recent)s
            AND operation = %(operation)s
            AND state = 'coded'
            AND (type_campaign, campaign_id) <> (%(type_campaign)s, %(campaign_id)s)
    )
