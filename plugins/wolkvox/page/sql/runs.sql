SELECT dag_id, dag_run_id, began_at, ended_at, state, counts
FROM wolkvox.run
WHERE operation = %(operation)s
ORDER BY began_at DESC
LIMIT %(limit)s
