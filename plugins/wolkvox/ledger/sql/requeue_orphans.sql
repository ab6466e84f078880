UPDATE wolkvox.codification
SET state = 'pending',
    reason = 'unknown_crash',
    response_code = NULL,
    response_msg = NULL,
    settled_at = NULL,
    not_before = clock_timestamp()
WHERE slot = %(slot)s
    AND state = 'sending'
    AND id <> ALL(%(own)s)
    AND (sent_at <= clock_timestamp() - %(silence)s::interval OR %(silence)s::interval IS NULL)
