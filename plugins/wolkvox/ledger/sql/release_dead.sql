-- Puts back to pending what dead tasks were sending and what is too old to be sent: no request takes a day. The next
-- owner of the slot does the same, but a closed operation has none.
UPDATE wolkvox.codification
SET state = 'pending',
    reason = 'unknown_crash',
    response_code = NULL,
    response_msg = NULL,
    settled_at = NULL,
    not_before = clock_timestamp()
WHERE id IN (
    SELECT id
    FROM wolkvox.codification
    WHERE state = 'sending'
        AND least(contacted_at, staged_at) < now() - %(expire_after)s
        AND (sent_at > now() - interval '1 day' AND sent_at <= now()) IS NOT TRUE
    FOR UPDATE SKIP LOCKED
)
