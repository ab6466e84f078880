SELECT dag_id, dag_run_id, began_at, ended_at, state, counts, began_by
FROM wolkvox.run
WHERE operation = %(operation)s
    AND (%(dag)s::text IS NULL OR dag_id = %(dag)s)
    AND (%(before)s::timestamptz IS NULL OR began_at < %(before)s)
    AND (%(since)s::timestamptz IS NULL OR began_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR began_at < %(until)s)
ORDER BY began_at DESC
LIMIT %(limit)s
