-- The suspended campaigns whose pause is over, each for one worker: its next pause begins with this trial.
UPDATE wolkvox.parked
SET probes = probes + 1,
    until = clock_timestamp()
        + interval '1 second' * least(%(longest)s::float, %(first)s::float * 2.0 ^ least(probes + 1, 30))
FROM (
    SELECT type_campaign, campaign_id
    FROM wolkvox.parked
    WHERE operation = %(operation)s
        AND (until <= clock_timestamp() OR until > clock_timestamp() + interval '1 second' * %(longest)s::float)
    ORDER BY until
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
) AS due
WHERE parked.operation = %(operation)s
    AND parked.type_campaign = due.type_campaign
    AND parked.campaign_id = due.campaign_id
RETURNING parked.type_campaign, parked.campaign_id
