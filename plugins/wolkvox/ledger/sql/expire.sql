UPDATE wolkvox.codification
SET state = 'expired',
    settled_at = now(),
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE operation = %(operation)s
    AND state = 'pending'
    AND contacted_at < now() - %(expire_after)s
