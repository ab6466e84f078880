-- The newest record that may be sent now and is of none of these campaigns, nor of a suspended one. A pending record
-- that was sent since the operation's records began to fail is left out: its request says nothing new.
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
            SELECT
                least(
                    CASE WHEN failures.refused <> '{}' THEN failures.refused_since END,
                    CASE WHEN failures.failed <> '{}' THEN failures.failed_since END
                )
            FROM wolkvox.consecutive_failures AS failures
            WHERE failures.operation = %(operation)s AND failures.type_campaign = '' AND failures.campaign_id = ''
        ),
        false
    )
ORDER BY contacted_at DESC, id DESC
LIMIT 1
