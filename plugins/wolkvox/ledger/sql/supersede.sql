-- The latest contact wins: compares each new one, whose id is above the mark, with all that is not settled and with
-- what is coded. What waits already was compared when it came in. The array and the materialized parts are for the
-- planner: right after many inserts it expects few rows and would compare each of them with each other one.
WITH new AS MATERIALIZED (
    SELECT id, type_campaign, campaign_id, customer_id, contacted_at
    FROM wolkvox.codification
    WHERE id > %(mark)s AND operation = %(operation)s AND state = 'pending'
), unsettled AS MATERIALIZED (
    SELECT id, type_campaign, campaign_id, customer_id, contacted_at
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'pending'
    UNION ALL
    SELECT id, type_campaign, campaign_id, customer_id, contacted_at
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'sending'
)
UPDATE wolkvox.codification
SET state = 'superseded',
    reason = 'newer_contact',
    settled_at = now(),
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE state = 'pending'
    AND id = ANY(ARRAY(
        SELECT id
        FROM (
            SELECT
                unsettled.*,
                row_number() OVER (
                    PARTITION BY customer_id, campaign_id, type_campaign ORDER BY contacted_at DESC, id DESC
                ) AS rank
            FROM unsettled
            WHERE (customer_id, campaign_id, type_campaign) IN (
                SELECT customer_id, campaign_id, type_campaign FROM new
            )
        ) AS ranked
        WHERE rank > 1
        UNION
        SELECT id
        FROM new
        WHERE EXISTS (
            SELECT 1
            FROM wolkvox.codification AS newer
            WHERE newer.state = 'coded'
                AND newer.operation = %(operation)s
                AND newer.customer_id = new.customer_id
                AND newer.campaign_id = new.campaign_id
                AND newer.type_campaign = new.type_campaign
                AND (newer.contacted_at, newer.id) > (new.contacted_at, new.id)
        )
    ))
