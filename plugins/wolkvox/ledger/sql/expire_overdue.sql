-- Of every operation, also where the DAG is paused or removed. A contact dated in the future counts from when it came
-- in.
UPDATE wolkvox.codification
SET state = 'expired',
    settled_at = now(),
    chunk_id = NULL,
    chunk_number = NULL
WHERE id IN (
    SELECT id
    FROM wolkvox.codification
    WHERE state = 'pending' AND least(contacted_at, staged_at) < now() - %(expire_after)s
    LIMIT %(batch)s
    FOR UPDATE SKIP LOCKED
)
