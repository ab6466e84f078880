-- Of every operation, also of those whose DAG is paused or gone. A contact whose date lies ahead counts from when it came.
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
