-- Offer what was held; returns how many, and the lowest of their ids. An anonymous customer can't be sent.
WITH released AS (
    UPDATE wolkvox.codification
    SET state = 'pending', reason = NULL, settled_at = NULL
    WHERE operation = %(operation)s
        AND state = 'held'
        AND (hold_id = %(hold)s OR customer_id = %(customer_id)s)
        AND customer_id !~ '^#[0-9a-f]{32}$'
    RETURNING id
)
SELECT count(*), min(id) FROM released
