-- Fails records that have used up the requests of their life; each request ended with its task.
UPDATE wolkvox.codification
SET state = 'failed',
    settled_at = now(),
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = %(chunk_id)s,
    chunk_number = %(number)s
WHERE id = ANY(%(ids)s) AND state = 'pending'
