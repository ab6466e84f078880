-- The trial records of an open circuit breaker, each of another campaign: first the campaign that coded a record last,
-- suspended campaigns at the end, of the others the one that was tried longest ago first. Of each campaign the record
-- that was sent longest ago.
SELECT
    id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, attempts, not_before IS NOT NULL, true
FROM (
    SELECT
        record.*,
        row_number() OVER (
            PARTITION BY type_campaign, campaign_id ORDER BY sent_at NULLS FIRST, contacted_at DESC, id DESC
        ) AS rank,
        max(sent_at) OVER (PARTITION BY type_campaign, campaign_id) AS tried_at
    FROM wolkvox.codification AS record
    WHERE operation = %(operation)s
        AND state = 'pending'
        AND (not_before IS NULL OR not_before <= clock_timestamp())
        AND (%(only)s::bigint[] IS NULL OR id = ANY(%(only)s))
) AS ranked
WHERE rank = 1
ORDER BY
    EXISTS (
        SELECT
        FROM wolkvox.suspended_campaign
        WHERE suspended_campaign.operation = ranked.operation
            AND suspended_campaign.type_campaign = ranked.type_campaign
            AND suspended_campaign.campaign_id = ranked.campaign_id
    ),
    (type_campaign, campaign_id) IS DISTINCT FROM (
        SELECT (latest.type_campaign, latest.campaign_id)
        FROM wolkvox.codification AS latest
        WHERE latest.operation = %(operation)s
            AND latest.state = 'coded'
            AND latest.settled_at > clock_timestamp() - interval '1 day'
        ORDER BY latest.settled_at DESC
        LIMIT 1
    ),
    tried_at NULLS FIRST,
    contacted_at DESC
LIMIT %(most)s
