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
        FROM wolkvox.parked
        WHERE parked.operation = record.operation
            AND parked.type_campaign = record.type_campaign
            AND parked.campaign_id = record.campaign_id
    )
    AND NOT coalesce(
        sent_at >= (
            SELECT least(CASE WHEN refused <> '{}' THEN refused_since END, CASE WHEN failed <> '{}' THEN failed_since END)
            FROM wolkvox.streak
            WHERE streak.operation = %(operation)s AND streak.type_campaign = '' AND streak.campaign_id = ''
        ),
        false
    )
ORDER BY contacted_at DESC, id DESC
LIMIT 1
