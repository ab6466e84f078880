-- With codified contacts since then, or with customers who must not be dialled: of all that wolkvox has.
SELECT type_campaign, campaign_id
FROM wolkvox.codification
WHERE operation = %(operation)s AND state = 'coded' AND settled_at >= %(since)s
UNION
SELECT type_campaign, campaign_id
FROM wolkvox.codification AS record
WHERE operation = %(operation)s
    AND protected_until IS NOT NULL
    AND staged_at >= %(since)s
    AND state <> 'invalid'
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.parked
        WHERE parked.operation = record.operation
            AND parked.type_campaign = record.type_campaign
            AND parked.campaign_id = record.campaign_id
    )
ORDER BY 1, 2
