-- The latest contact wins: among those that are not settled yet, and against those that are coded. Two questions, so
-- that a new contact needs no entry in the index of customers, where each would touch a page of its own.
-- The array is there for the planner: right after many inserts it takes the rows for few, and would join them badly.
UPDATE wolkvox.codification
SET state = 'superseded',
    reason = 'newer_contact',
    settled_at = now(),
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE state IN ('pending', 'failed')
    AND id = ANY(ARRAY(
        SELECT id
        FROM (
            SELECT
                *,
                row_number() OVER (
                    PARTITION BY customer_id, campaign_id, type_campaign ORDER BY contacted_at DESC, id DESC
                ) AS place
            FROM (
                SELECT id, type_campaign, campaign_id, customer_id, contacted_at
                FROM wolkvox.codification
                WHERE operation = %(operation)s AND state IN ('pending', 'failed')
                UNION ALL
                SELECT id, type_campaign, campaign_id, customer_id, contacted_at
                FROM wolkvox.codification
                WHERE operation = %(operation)s AND state = 'sending'
            ) AS unsettled
        ) AS older
        WHERE place > 1
            OR EXISTS (
                SELECT 1
                FROM wolkvox.codification AS newer
                WHERE newer.state = 'coded'
                    AND newer.operation = %(operation)s
                    AND newer.customer_id = older.customer_id
                    AND newer.campaign_id = older.campaign_id
                    AND newer.type_campaign = older.type_campaign
                    AND (newer.contacted_at, newer.id) > (older.contacted_at, older.id)
            )
    ))
