-- Expires what has waited too long. The records are found in the index of what waits: by an estimate of how many they
-- are, which is far too high where most of what is that old is settled, the whole table would be read instead.
UPDATE wolkvox.codification
SET state = 'expired',
    settled_at = now(),
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE state = 'pending'
    AND id = ANY(ARRAY(
        SELECT id
        FROM wolkvox.codification
        WHERE operation = %(operation)s AND state = 'pending' AND contacted_at < now() - %(expire_after)s
    ))
