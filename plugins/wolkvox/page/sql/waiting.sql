SELECT type_campaign, campaign_id, state, count(*) AS records, min(contacted_at) AS oldest
FROM (
    SELECT type_campaign, campaign_id, state, contacted_at
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state IN ('pending', 'failed')
    UNION ALL
    SELECT type_campaign, campaign_id, state, contacted_at
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'sending'
) AS unfinished
GROUP BY type_campaign, campaign_id, state
