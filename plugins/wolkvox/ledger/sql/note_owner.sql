INSERT INTO wolkvox.slot (
    slot, operation, lock_class, lock_number, dag_id, dag_run_id, task_id, map_index, try_number,
    host, pid, taken_at, in_flight_until, chunk_id, taken
)
VALUES (
    %(slot)s, %(operation)s, %(fingerprint)s, %(number)s, %(dag_id)s, %(dag_run_id)s, %(task_id)s,
    %(map_index)s, %(try_number)s, %(host)s, %(pid)s, now(), NULL, %(chunk_id)s, '{}'
)
ON CONFLICT (slot) DO UPDATE SET
    operation = excluded.operation,
    dag_id = excluded.dag_id,
    dag_run_id = excluded.dag_run_id,
    task_id = excluded.task_id,
    map_index = excluded.map_index,
    try_number = excluded.try_number,
    host = excluded.host,
    pid = excluded.pid,
    taken_at = excluded.taken_at,
    in_flight_until = NULL,
    chunk_id = excluded.chunk_id,
    taken = '{}'
