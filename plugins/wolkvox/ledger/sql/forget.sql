-- Of the next contacts by id, whatever their age or state, the settled ones of before a moment go, and their numbers stay.
-- By id: what was deleted before is not read again. Returns how many went, the last id that was looked at, and whether
-- all were of before the moment, so that there may be more.
WITH looked_at AS (
    SELECT id, staged_at < %(before)s AS is_old, state NOT IN ('pending', 'sending') AS is_settled
    FROM wolkvox.codification
    WHERE id > %(after)s
    ORDER BY id
    LIMIT %(batch)s
), gone AS (
    DELETE FROM wolkvox.codification
    WHERE id IN (SELECT id FROM looked_at WHERE is_old AND is_settled)
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
SELECT (SELECT count(*) FROM gone), max(id), coalesce(bool_and(is_old), false)
FROM looked_at
