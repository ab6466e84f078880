-- One customer's contacts, on request: those of suspended campaigns too; deferred ones may be sent now.
UPDATE wolkvox.codification
SET not_before = CASE WHEN not_before > now() THEN now() ELSE not_before END
WHERE id IN (
    SELECT id
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND state = 'pending'
        AND customer_id = %(customer_id)s
    ORDER BY contacted_at DESC, id DESC
    LIMIT %(budget)s
    FOR UPDATE SKIP LOCKED
)
RETURNING id, attempts
