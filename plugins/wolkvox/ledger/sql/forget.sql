-- Settled contacts of before a moment go, and their numbers stay.
WITH gone AS (
    DELETE FROM wolkvox.codification
    WHERE id IN (
        SELECT id
        FROM wolkvox.codification
        WHERE staged_at < %(before)s
            AND state NOT IN ('pending', 'sending')
        LIMIT %(batch)s
    )
    RETURNING operation, settled_at, staged_at, type_campaign, campaign_id, state, reason
), counted AS (
    INSERT INTO wolkvox.total AS total (operation, month, type_campaign, campaign_id, state, reason, records)
    SELECT
        operation,
        date_trunc('month', coalesce(settled_at, staged_at) AT TIME ZONE 'UTC')::date,
        type_campaign,
        campaign_id,
        state,
        reason,
        count(*)
    FROM gone
    GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (operation, month, type_campaign, campaign_id, state, reason)
        DO UPDATE SET records = total.records + excluded.records
)
SELECT count(*) FROM gone
