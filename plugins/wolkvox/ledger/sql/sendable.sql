-- How many records may be sent now, and of how many campaigns; counts up to %(most)s records.
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
                FROM wolkvox.suspended_campaign
                WHERE suspended_campaign.operation = record.operation
                    AND suspended_campaign.type_campaign = record.type_campaign
                    AND suspended_campaign.campaign_id = record.campaign_id
                    AND suspended_campaign.until > clock_timestamp()
                    AND suspended_campaign.until <= clock_timestamp() + %(longest)s
            )
        LIMIT %(most)s
    ) AS waiting
    GROUP BY type_campaign, campaign_id
) AS campaign
