-- Records that a run could have sent since it began: not deferred, and of no suspended campaign.
SELECT count(*)::integer
FROM (
    SELECT
    FROM wolkvox.codification AS record
    INNER JOIN wolkvox.run
        ON run.operation = record.operation
        AND run.dag_id = %(dag_id)s
        AND run.dag_run_id = %(dag_run_id)s
    WHERE record.operation = %(operation)s
        AND record.state = 'pending'
        AND record.staged_at < run.began_at
        AND (record.not_before IS NULL OR record.not_before < run.began_at)
        AND NOT EXISTS (
            SELECT
            FROM wolkvox.suspended_campaign
            WHERE suspended_campaign.operation = record.operation
                AND suspended_campaign.type_campaign = record.type_campaign
                AND suspended_campaign.campaign_id = record.campaign_id
        )
    LIMIT 10000
) AS waiting
