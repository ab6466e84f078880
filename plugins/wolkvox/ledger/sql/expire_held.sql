-- What is held and too old to be sent; of every operation, also of those whose DAG is paused or gone.
UPDATE wolkvox.codification
SET state = 'expired', settled_at = now()
WHERE id IN (
    SELECT record.id
    FROM (SELECT DISTINCT operation FROM wolkvox.hold WHERE decided_at IS NULL) AS hold
    INNER JOIN wolkvox.codification AS record
        ON record.operation = hold.operation
        AND record.state = 'held'
        AND least(record.contacted_at, record.staged_at) < now() - %(expire_after)s
    LIMIT %(batch)s
    FOR UPDATE OF record SKIP LOCKED
)
