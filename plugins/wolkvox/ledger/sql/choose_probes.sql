WITH due AS (
    SELECT type_campaign, campaign_id
    FROM wolkvox.parked
    WHERE operation = %(operation)s AND until <= clock_timestamp()
    FOR UPDATE
), waiting AS (
    SELECT
        record.id,
        record.contacted_at,
        row_number() OVER (
            PARTITION BY record.type_campaign, record.campaign_id ORDER BY record.contacted_at DESC, record.id DESC
        ) AS newest,
        row_number() OVER (
            PARTITION BY record.type_campaign, record.campaign_id ORDER BY record.attempts, record.contacted_at
        ) AS least_tried
    FROM wolkvox.codification AS record
    INNER JOIN due USING (type_campaign, campaign_id)
    WHERE record.operation = %(operation)s AND record.state = 'pending'
)
SELECT id
FROM waiting
WHERE newest <= %(newest)s OR least_tried = 1
ORDER BY contacted_at DESC, id DESC
