INSERT INTO wolkvox.run AS run (operation, dag_id, dag_run_id, window_start, window_end, began_by)
VALUES (%(operation)s, %(dag_id)s, %(dag_run_id)s, %(window_start)s, %(window_end)s, %(began_by)s)
ON CONFLICT (operation, dag_id, dag_run_id) DO UPDATE SET
    window_start = excluded.window_start,
    window_end = excluded.window_end,
    began_by = excluded.began_by,
    state = 'running',
    ended_at = NULL
