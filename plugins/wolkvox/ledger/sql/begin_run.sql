INSERT INTO wolkvox.run AS run (operation, dag_id, dag_run_id, window_start, window_end)
VALUES (%(operation)s, %(dag_id)s, %(dag_run_id)s, %(window_start)s, %(window_end)s)
ON CONFLICT (operation, dag_id, dag_run_id) DO UPDATE SET
    window_start = excluded.window_start,
    window_end = excluded.window_end,
    state = 'running',
    ended_at = NULL
