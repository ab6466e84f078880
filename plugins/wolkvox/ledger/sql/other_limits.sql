-- The upper bound: a clock that was ahead once must not make a DAG count for longer.
SELECT dag_id, wolkvox_conn_id, daily_requests, quota_reserve, quota_timezone
FROM wolkvox.dag
WHERE fingerprint = %(fingerprint)s
    AND dag_id <> %(dag_id)s
    AND staged_at BETWEEN clock_timestamp() - %(counts_for)s AND clock_timestamp() + %(counts_for)s
ORDER BY dag_id
