-- Whether wolkvox itself has answered since: what an export settles was not sent. An answer of the future was noted by
-- a clock that was ahead, and so was a moment of the future that is asked for.
SELECT EXISTS (
    SELECT
    FROM wolkvox.codification
    WHERE settled_at <= statement_timestamp()
        AND settled_at >= CASE
            WHEN %(since)s <= statement_timestamp() THEN %(since)s
            ELSE statement_timestamp() - interval '1 minute'
        END
        AND state = ANY(%(states)s)
        AND chunk_id IS NOT NULL
        AND operation = %(operation)s
        AND (%(campaign_id)s = '' OR type_campaign = %(type_campaign)s AND campaign_id = %(campaign_id)s)
)
