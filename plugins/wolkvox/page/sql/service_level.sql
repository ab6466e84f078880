-- What was codified in [since, until), and how much of it within the target: all, by campaign, and by channel.
SELECT
    CASE grouping(type_campaign, channel) WHEN 3 THEN 'all' WHEN 1 THEN 'campaign' ELSE 'channel' END AS part,
    type_campaign,
    campaign_id,
    channel,
    count(*) AS records,
    count(*) FILTER (WHERE lag <= %(target)s) AS within,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY lag) AS p95
FROM (
    SELECT type_campaign, campaign_id, channel, extract(EPOCH FROM settled_at - contacted_at)::float AS lag
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND settled_at >= %(since)s
        AND settled_at < %(until)s
        AND state = 'coded'
        AND contacted_at IS NOT NULL
) AS coded
GROUP BY GROUPING SETS ((), (type_campaign, campaign_id), (channel))
ORDER BY records DESC, part, campaign_id, channel
