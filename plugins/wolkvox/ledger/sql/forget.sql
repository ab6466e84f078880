-- Deletes the next settled contacts that are old enough, and adds them to the monthly totals, without columns that may
-- hold anything. Leaves locked rows to the next time. Returns how many it deleted, and when the last of them was
-- settled.
WITH gone AS (
    DELETE FROM wolkvox.codification
    WHERE id IN (
        SELECT id
        FROM wolkvox.codification
        WHERE operation = %(operation)s
            AND settled_at >= %(since)s
            AND settled_at < %(before)s
            AND least(coalesce(contacted_at, settled_at), settled_at + interval '1 year') < %(before)s
        ORDER BY settled_at
        LIMIT %(batch)s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING operation, settled_at, type_campaign, campaign_id, state, reason
), counted AS (
    INSERT INTO wolkvox.monthly_total (operation, month, type_campaign, campaign_id, state, reason, records)
    SELECT
        operation,
        date_trunc('month', settled_at AT TIME ZONE 'UTC')::date,
        CASE WHEN type_campaign IN ('preview', 'predictive') THEN type_campaign END,
        CASE WHEN state = 'coded' OR (state <> 'invalid' AND length(campaign_id) < 7) THEN campaign_id END,
        state,
        reason,
        count(*)
    FROM gone
    GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (operation, month, type_campaign, campaign_id, state, reason)
        DO UPDATE SET records = monthly_total.records + excluded.records
)
SELECT count(*), max(settled_at) FROM gone
