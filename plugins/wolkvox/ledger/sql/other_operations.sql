-- DAGs of other operations that staged contacts in the last 31 days.
SELECT dag_id
FROM wolkvox.watch
WHERE starts_with(dag_id, %(prefix)s)
    AND dag_id <> %(dag_id)s
    AND stage_began_at > now() - interval '31 days'
ORDER BY dag_id
