-- The newest record that may be sent now and is of none of these campaigns, nor of a suspended one. What was sent since
-- records fail in a row, and is pending, has told what it can.
SELECT
    id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, attempts, not_before IS NOT NULL, true
FROM wolkvox.codification AS record
WHERE operation = %(operation)s
    AND state = 'pending'
    AND (not_before IS NULL OR not_before <= clock_timestamp())
    AND (type_campaign || ' ' || campaign_id) <> ALL(%(campaigns)s)
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.suspended_campaign
        WHERE suspended_campaign.operation = record.operation
            AND suspended_campaign.type_campaign = record.type_campaign
            AND suspended_campaign.campaign_id = record.campaign_id
    )
    AND NOT coalesce(
        sent_at >= (
            SELECT least(CASE WHEN refused <> '{}' THEN refused_since END, CASE WHEN failed <> '{}' THEN failed_since END)
            FROM wolkvox.consecutive_failures
            WHERE consecutive_failures.operation = %(operation)s AND consecutive_failures.type_campaign = '' AND consecutive_failures.campaign_id = ''
        ),
        false
    )
ORDER BY contacted_at DESC, id DESC
LIMIT 1
