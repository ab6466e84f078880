-- Retires a record that was sent before if a later contact of its customer is coded or is being sent.
UPDATE wolkvox.codification AS record
SET state = 'superseded',
    reason = 'newer_contact',
    settled_at = clock_timestamp(),
    chunk_id = NULL,
    chunk_number = NULL
WHERE record.id = %(id)s
    AND record.state = 'pending'
    AND (
        EXISTS (
            SELECT
            FROM wolkvox.codification AS newer
            WHERE newer.state = 'coded'
                AND newer.operation = record.operation
                AND newer.customer_id = record.customer_id
                AND newer.campaign_id = record.campaign_id
                AND newer.type_campaign = record.type_campaign
                AND (newer.contacted_at, newer.id) > (record.contacted_at, record.id)
        )
        OR EXISTS (
            SELECT
            FROM wolkvox.codification AS newer
            WHERE newer.state = 'sending'
                AND newer.operation = record.operation
                AND newer.customer_id = record.customer_id
                AND newer.campaign_id = record.campaign_id
                AND newer.type_campaign = record.type_campaign
                AND (newer.contacted_at, newer.id) > (record.contacted_at, record.id)
        )
    )
