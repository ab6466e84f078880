WITH settled AS (
    UPDATE wolkvox.codification
    SET state = %(state)s,
        reason = %(reason)s,
        response_code = %(code)s,
        response_msg = %(msg)s,
        attempts = attempts - %(uncounted)s,
        settled_at = CASE WHEN %(state)s <> 'pending' THEN clock_timestamp() END
    WHERE id = %(settled)s AND state = 'sending' AND slot IN (%(slot)s, %(previous_slot)s)
)
UPDATE wolkvox.codification
SET state = 'sending', sent_at = clock_timestamp(), attempts = attempts + 1, slot = %(slot)s
WHERE id = %(following)s
    AND chunk_id = %(chunk_id)s
    AND (state = 'pending' OR (state = 'sending' AND slot IN (%(slot)s, %(previous_slot)s)))
