-- A run's time begins with its first worker; a task that is retried or cleared has all of it again.
UPDATE wolkvox.chunk
SET began_at = clock_timestamp(),
    closed_at = NULL,
    ends_at = clock_timestamp() + CASE
        WHEN began_at IS NOT NULL THEN %(time)s
        ELSE coalesce(
            (
                SELECT min(other.began_at) + %(time)s - clock_timestamp()
                FROM wolkvox.chunk AS other
                WHERE other.operation = chunk.operation
                    AND other.dag_id = chunk.dag_id
                    AND other.dag_run_id = chunk.dag_run_id
                    AND other.made_at = chunk.made_at
                    AND other.began_at <= clock_timestamp()
            ),
            %(time)s
        )
    END
WHERE chunk_id = %(chunk_id)s
RETURNING extract(epoch FROM ends_at - clock_timestamp())::float, made_at, only_ids, dag_id
