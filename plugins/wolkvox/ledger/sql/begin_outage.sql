INSERT INTO wolkvox.outage AS known (
    operation, reason, words, fingerprint, dag_id, dag_run_id, since, until
)
VALUES (
    %(operation)s, %(reason)s, %(words)s, %(fingerprint)s, %(dag_id)s, %(dag_run_id)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation) DO UPDATE SET
    reason = excluded.reason,
    words = excluded.words,
    fingerprint = excluded.fingerprint,
    dag_id = excluded.dag_id,
    dag_run_id = excluded.dag_run_id,
    since = excluded.since,
    until = excluded.until,
    probes = 0
WHERE known.fingerprint <> excluded.fingerprint
