INSERT INTO wolkvox.circuit_breaker AS known (
    operation, reason, message, fingerprint, dag_id, dag_run_id, since, until
)
VALUES (
    %(operation)s, %(reason)s, %(message)s, %(fingerprint)s, %(dag_id)s, %(dag_run_id)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation) DO UPDATE SET
    reason = excluded.reason,
    message = excluded.message,
    fingerprint = excluded.fingerprint,
    dag_id = excluded.dag_id,
    dag_run_id = excluded.dag_run_id,
    since = excluded.since,
    until = excluded.until,
    trials = 0
WHERE known.fingerprint <> excluded.fingerprint
