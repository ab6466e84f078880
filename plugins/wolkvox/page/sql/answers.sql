SELECT codification_id, state, reason, response_code, response_msg, sent_at, settled_at
FROM wolkvox.answer
WHERE codification_id = ANY(%(ids)s)
ORDER BY replaced_at
