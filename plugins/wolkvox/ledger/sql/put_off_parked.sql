UPDATE wolkvox.parked
SET probes = probes + 1,
    until = clock_timestamp()
        + interval '1 second' * least(%(longest)s::float, %(first)s::float * 2.0 ^ least(probes + 1, 30))
FROM (
    SELECT DISTINCT type_campaign, campaign_id FROM wolkvox.codification WHERE id = ANY(%(ids)s)
) AS probed
WHERE parked.operation = %(operation)s
    AND parked.type_campaign = probed.type_campaign
    AND parked.campaign_id = probed.campaign_id
