UPDATE wolkvox.codification AS older
SET state = 'superseded',
    reason = 'newer_contact',
    settled_at = now(),
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE older.operation = %(operation)s
    AND older.state IN ('pending', 'failed')
    AND EXISTS (
        SELECT 1
        FROM wolkvox.codification AS newer
        WHERE newer.operation = older.operation
            AND newer.campaign_id = older.campaign_id
            AND newer.customer_id = older.customer_id
            AND newer.type_campaign = older.type_campaign
            AND newer.state NOT IN ('invalid', 'superseded')
            AND newer.state IN ('pending', 'sending', 'coded', 'failed')
            AND (newer.contacted_at, newer.id) > (older.contacted_at, older.id)
    )
