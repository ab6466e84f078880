-- The suspended campaigns whose delay is over. Each goes to one worker: its next delay begins with this trial.
UPDATE wolkvox.suspended_campaign
SET trials = trials + 1,
    until = clock_timestamp()
        + interval '1 second' * least(%(longest)s::float, %(first)s::float * 2.0 ^ least(trials + 1, 30))
FROM (
    SELECT type_campaign, campaign_id
    FROM wolkvox.suspended_campaign
    WHERE operation = %(operation)s
        AND (until <= clock_timestamp() OR until > clock_timestamp() + interval '1 second' * %(longest)s::float)
    ORDER BY until
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
) AS due
WHERE suspended_campaign.operation = %(operation)s
    AND suspended_campaign.type_campaign = due.type_campaign
    AND suspended_campaign.campaign_id = due.campaign_id
RETURNING suspended_campaign.type_campaign, suspended_campaign.campaign_id
