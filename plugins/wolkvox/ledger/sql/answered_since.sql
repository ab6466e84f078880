-- Whether wolkvox has answered a request since. Records without a chunk were settled by exports. Dates in the future,
-- of an answer or the one asked for, were written by a clock that was ahead.
SELECT EXISTS(
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
