UPDATE wolkvox.chunk
SET closed_at = clock_timestamp(),
    ids = ARRAY(
        SELECT id
        FROM wolkvox.codification
        WHERE codification.dag_run_id = chunk.dag_run_id AND codification.chunk_id = chunk.chunk_id
    )
WHERE chunk_id = %(chunk_id)s
