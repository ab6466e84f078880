-- The records that were settled by a request in the last hour, or the latest ones of a day if the hour has too few.
SELECT
    count(*) AS total,
    count(*) FILTER (WHERE state = 'rejected') AS rejected,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    min(settled_at) AS since
FROM (
    SELECT state, settled_at, row_number() OVER (ORDER BY settled_at DESC) AS rank
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND settled_at > %(now)s - %(longest)s
        AND settled_at <= %(now)s
        AND state IN ('coded', 'rejected', 'failed')
        AND reason IS DISTINCT FROM 'already_handled' -- not sent, as the connection asks
        AND NOT (
            state = 'rejected'
            AND EXISTS (
                SELECT
                FROM unnest(%(types)s::text[], %(campaigns)s::text[]) AS suspended (type_campaign, campaign_id)
                WHERE suspended.type_campaign = codification.type_campaign
                    AND suspended.campaign_id = codification.campaign_id
            )
        )
    ORDER BY settled_at DESC
    LIMIT %(most)s
) AS answered
WHERE settled_at > %(now)s - %(window)s OR rank <= %(fewest)s
