-- Of each campaign of the last weeks: its largest hour up to an hour ago, and what came in since that was never held.
-- All records that can't be sent are counted together, without a campaign. What came in these weeks was settled in them
-- or is not settled yet: each part is found by an index of its own.
WITH record AS MATERIALIZED (
    SELECT id, type_campaign, campaign_id, state, reason, staged_at, hold_id
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND settled_at >= now() - %(weeks)s
    UNION ALL
    SELECT id, type_campaign, campaign_id, state, reason, staged_at, hold_id
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'pending'
    UNION ALL
    SELECT id, type_campaign, campaign_id, state, reason, staged_at, hold_id
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'sending'
)
SELECT
    type_campaign,
    campaign_id,
    max(before) AS peak,
    sum(lately)::bigint AS lately,
    sum(records)::bigint AS records
FROM (
    SELECT
        CASE WHEN state <> 'invalid' THEN type_campaign END AS type_campaign,
        CASE WHEN state <> 'invalid' THEN campaign_id END AS campaign_id,
        count(*) FILTER (WHERE staged_at <= now() - interval '1 hour') AS before,
        count(*) FILTER (WHERE staged_at > now() - interval '1 hour' AND hold_id IS NULL) AS lately,
        count(*) AS records
    FROM record
    WHERE staged_at >= now() - %(weeks)s
        AND id <= %(mark)s
        AND state <> 'held'
        AND reason IS DISTINCT FROM 'held_discarded'
    GROUP BY 1, 2, date_bin('1 hour', staged_at, 'epoch')
) AS hour
GROUP BY type_campaign, campaign_id
