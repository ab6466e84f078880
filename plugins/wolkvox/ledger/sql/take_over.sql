-- The older half of what the other workers have taken and not sent yet. Both may try to send one; the first does.
SELECT
    id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, attempts, not_before IS NOT NULL, false
FROM (
    SELECT record.*, row_number() OVER (ORDER BY contacted_at, id) AS rank, count(*) OVER () AS records
    FROM wolkvox.held_slot
    CROSS JOIN LATERAL unnest(held_slot.taken) AS taken (record_id)
    INNER JOIN wolkvox.codification AS record ON record.id = taken.record_id
    WHERE held_slot.operation = %(operation)s
        AND held_slot.slot <> %(slot)s
        AND record.state = 'pending'
        AND (record.sent_at IS NULL OR record.sent_at < %(made_at)s)
        AND NOT EXISTS (
            SELECT
            FROM wolkvox.suspended_campaign
            WHERE suspended_campaign.operation = record.operation
                AND suspended_campaign.type_campaign = record.type_campaign
                AND suspended_campaign.campaign_id = record.campaign_id
        )
) AS theirs
WHERE rank <= (records + 1) / 2
ORDER BY rank DESC
LIMIT %(most)s
