-- Settles what waits with a code that the operation doesn't have; found as in expire.sql.
UPDATE wolkvox.codification
SET state = 'invalid',
    reason = 'cod_act_unknown',
    settled_at = now(),
    dag_id = %(dag_id)s,
    dag_run_id = %(dag_run_id)s,
    chunk_id = NULL,
    chunk_number = NULL
WHERE state = 'pending'
    AND id = ANY(ARRAY(
        SELECT id
        FROM wolkvox.codification
        WHERE operation = %(operation)s AND state = 'pending' AND cod_act <> ALL(%(codes)s::text[])
    ))
