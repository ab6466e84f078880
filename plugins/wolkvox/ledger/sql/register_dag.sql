INSERT INTO wolkvox.dag AS known (dag_id, operation, wolkvox_conn_id)
VALUES (%(dag_id)s, %(operation)s, %(wolkvox_conn_id)s)
ON CONFLICT (dag_id) DO UPDATE SET
    operation = excluded.operation,
    wolkvox_conn_id = excluded.wolkvox_conn_id,
    begun_at = excluded.begun_at
WHERE (known.operation, known.wolkvox_conn_id) <> (excluded.operation, excluded.wolkvox_conn_id)
