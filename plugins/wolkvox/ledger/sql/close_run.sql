-- Closes the chunks that no task has begun, of an earlier try of the same stage or of a run that is over. Clearing
-- their tasks opens them again.
UPDATE wolkvox.chunk
SET closed_at = clock_timestamp()
WHERE operation = %(operation)s
    AND dag_id = %(dag_id)s
    AND dag_run_id = %(dag_run_id)s
    AND began_at IS NULL
    AND closed_at IS NULL
