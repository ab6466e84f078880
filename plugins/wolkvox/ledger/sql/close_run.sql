-- Chunks that an earlier try of the same stage made, or whose run is over: nobody begins them any more, unless somebody
-- clears their tasks.
UPDATE wolkvox.chunk
SET closed_at = clock_timestamp()
WHERE operation = %(operation)s
    AND dag_id = %(dag_id)s
    AND dag_run_id = %(dag_run_id)s
    AND began_at IS NULL
    AND closed_at IS NULL
