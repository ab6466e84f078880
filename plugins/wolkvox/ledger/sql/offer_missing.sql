-- Offers again the records of which this audit found no code: once in the life of each, and not where a later contact
-- counts. The trigger "answered" keeps the answer.
UPDATE wolkvox.codification AS record
SET state = 'pending', reason = 'audit_missing', settled_at = NULL, not_before = NULL
FROM recent
WHERE recent.type_campaign = %(type_campaign)s
    AND recent.campaign_id = %(campaign_id)s
    AND recent.state = 'coded'
    AND recent.settled_at < %(settled_before)s
    AND coalesce(recent.protected_until > %(begun)s, true)
    AND record.id = recent.id
    AND record.state = 'coded'
    AND record.audit = 'missing'
    AND record.contacted_at >= %(contacted_since)s
    AND record.attempts < %(most_requests)s
    AND NOT EXISTS (
        SELECT
        FROM wolkvox.answer
        WHERE answer.codification_id = record.id AND answer.state = 'coded'
    )
    AND NOT EXISTS (
        SELECT
        FROM recent AS later
        WHERE later.type_campaign = recent.type_campaign
            AND later.campaign_id = recent.campaign_id
            AND later.normalised_id = recent.normalised_id
            AND later.state <> 'invalid'
            AND (later.contacted_at > recent.contacted_at OR later.settled_at > recent.settled_at)
    )
