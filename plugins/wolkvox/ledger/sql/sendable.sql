-- How many records may be sent now, and of how many campaigns; counts up to a number of records. The suspended
-- campaigns are listed first: compared with the clock for each record, they would be looked up a million times.
WITH suspended AS MATERIALIZED (
    SELECT type_campaign, campaign_id
    FROM wolkvox.suspended_campaign
    WHERE operation = %(operation)s
        AND until > clock_timestamp()
        AND until <= clock_timestamp() + %(longest)s
)

SELECT coalesce(sum(records), 0)::integer, count(*)::integer
FROM (
    SELECT type_campaign, campaign_id, count(*) AS records
    FROM (
        SELECT type_campaign, campaign_id
        FROM wolkvox.codification AS record
        WHERE operation = %(operation)s
            AND state = 'pending'
            AND (not_before IS NULL OR not_before <= clock_timestamp())
            AND NOT EXISTS (
                SELECT
                FROM suspended
                WHERE suspended.type_campaign = record.type_campaign AND suspended.campaign_id = record.campaign_id
            )
        LIMIT %(most)s
    ) AS waiting
    GROUP BY type_campaign, campaign_id
) AS campaign
