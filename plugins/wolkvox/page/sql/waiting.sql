SELECT
    type_campaign,
    campaign_id,
    count(*) AS records,
    count(*) FILTER (WHERE not_before > now()) AS put_off,
    min(contacted_at) AS oldest
FROM (
    SELECT type_campaign, campaign_id, contacted_at, not_before
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'pending'
    UNION ALL
    SELECT type_campaign, campaign_id, contacted_at, NULL
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'sending'
) AS unfinished
GROUP BY type_campaign, campaign_id
