-- A record counts once, however often this is said.
INSERT INTO wolkvox.streak AS streak (operation, type_campaign, campaign_id, refusal, ids, campaigns, since)
VALUES (
    %(operation)s, %(type_campaign)s, %(campaign_id)s, %(refusal)s, ARRAY[%(record)s::bigint],
    ARRAY[%(campaign)s::text], clock_timestamp()
)
ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET
    (refusal, ids, campaigns, since) = (
        SELECT
            excluded.refusal,
            CASE WHEN goes_on THEN streak.ids ELSE '{}' END || CASE WHEN told THEN '{}' ELSE excluded.ids END,
            CASE WHEN goes_on THEN streak.campaigns ELSE '{}' END
                || CASE WHEN told THEN '{}' ELSE excluded.campaigns END,
            CASE WHEN goes_on THEN streak.since ELSE excluded.since END
        FROM (
            SELECT goes_on, goes_on AND streak.ids @> excluded.ids AS told
            FROM (SELECT streak.refusal = excluded.refusal AND NOT %(anew)s) AS known (goes_on)
        ) AS before
    )
RETURNING ids, since, campaigns
