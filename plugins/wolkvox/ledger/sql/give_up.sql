UPDATE wolkvox.codification
SET state = 'failed',
    settled_at = now(),
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE id = ANY(%(ids)s) AND state = 'pending'
