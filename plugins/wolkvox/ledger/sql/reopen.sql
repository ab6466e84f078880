UPDATE wolkvox.codification
SET state = 'pending',
    reason = NULL,
    response_code = NULL,
    response_msg = NULL,
    settled_at = NULL,
    attempts = 0,
    not_before = NULL,
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE id = ANY(%(ids)s)
