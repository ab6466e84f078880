SELECT
    type_campaign,
    campaign_id,
    count(*) AS records,
    count(*) FILTER (WHERE not_before > now()) AS deferred,
    min(contacted_at) AS oldest,
    min(contacted_at) FILTER (WHERE not_before IS NULL OR not_before <= now()) AS oldest_sendable,
    ARRAY[
        count(*) FILTER (WHERE contacted_at >= now() - interval '6 minutes'),
        count(*) FILTER (
            WHERE contacted_at < now() - interval '6 minutes' AND contacted_at >= now() - interval '1 hour'
        ),
        count(*) FILTER (
            WHERE contacted_at < now() - interval '1 hour' AND contacted_at >= now() - interval '1 day'
        ),
        count(*) FILTER (
            WHERE contacted_at < now() - interval '1 day' AND contacted_at >= now() - interval '7 days'
        ),
        count(*) FILTER (WHERE contacted_at < now() - interval '7 days')
    ] AS by_age
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
