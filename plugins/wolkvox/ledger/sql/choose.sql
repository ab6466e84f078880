CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
SELECT
    id,
    type_campaign,
    campaign_id,
    row_number() OVER (
        PARTITION BY type_campaign, campaign_id ORDER BY contacted_at DESC, id DESC
    ) - 1 AS place
FROM (
    SELECT id, type_campaign, campaign_id, contacted_at
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state IN ('pending', 'failed')
    ORDER BY contacted_at DESC
    LIMIT %(budget)s
    FOR UPDATE SKIP LOCKED
) AS newest
