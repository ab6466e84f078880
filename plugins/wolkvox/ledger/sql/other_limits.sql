-- The upper bound leaves out dates that a clock wrote which was ahead.
SELECT dag_id, wolkvox_conn_id, daily_requests, quota_reserve, quota_timezone
FROM wolkvox.dag
WHERE fingerprint = %(fingerprint)s
    AND dag_id <> %(dag_id)s
    AND staged_at BETWEEN clock_timestamp() - %(counts_for)s AND clock_timestamp() + %(counts_for)s
ORDER BY dag_id
