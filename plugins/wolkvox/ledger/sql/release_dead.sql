-- Too old to be sent, and sent by a task that died: no request takes a day. Whoever takes its slot next would find it,
-- but nobody takes the slots of an operation that is closed.
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
