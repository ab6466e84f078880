SELECT
    state,
    count(*) AS records,
    count(*) FILTER (WHERE reason LIKE 'unknown%%' AND state IN ('failed', 'pending', 'sending')) AS unknown,
    count(*) FILTER (WHERE attempts > 1) AS resent
FROM wolkvox.codification
WHERE dag_run_id = %(dag_run_id)s AND chunk_id = %(chunk_id)s
GROUP BY state
