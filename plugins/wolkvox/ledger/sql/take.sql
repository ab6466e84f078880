-- The newest records that may be sent now and that no other worker has taken. A run does not take again what it has
-- deferred. Where exports are asked for, a record that becomes free later is the next run's, which asks for its export.
SELECT
    id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, attempts, not_before IS NOT NULL, false
FROM wolkvox.codification AS record
WHERE operation = %(operation)s
    AND state = 'pending'
    AND (not_before IS NULL OR not_before <= clock_timestamp())
    AND NOT coalesce(
        not_before >= %(made_at)s
        AND (%(exports)s OR (sent_at >= %(made_at)s AND reason IS DISTINCT FROM 'unknown_crash')),
        false
    )
    AND id <> ALL(%(kept)s::bigint[])
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.suspended_campaign
        WHERE suspended_campaign.operation = record.operation
            AND suspended_campaign.type_campaign = record.type_campaign
            AND suspended_campaign.campaign_id = record.campaign_id
    )
    AND id <> ALL(
        ARRAY(
            SELECT unnest(taken)
            FROM wolkvox.held_slot
            WHERE held_slot.operation = %(operation)s AND held_slot.slot <> %(slot)s
        )
    )
ORDER BY contacted_at DESC, id DESC
LIMIT %(most)s
