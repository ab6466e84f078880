-- Whether wolkvox itself has answered since: what an export settles was not sent.
SELECT EXISTS (
    SELECT
    FROM wolkvox.codification
    WHERE settled_at >= %(since)s
        AND state = ANY(%(states)s)
        AND chunk_id IS NOT NULL
        AND operation = %(operation)s
        AND (%(campaign_id)s = '' OR type_campaign = %(type_campaign)s AND campaign_id = %(campaign_id)s)
)
