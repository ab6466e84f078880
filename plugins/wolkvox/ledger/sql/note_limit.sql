UPDATE wolkvox.dag
SET fingerprint = %(fingerprint)s,
    daily_requests = %(daily_requests)s,
    quota_reserve = %(reserve)s,
    quota_timezone = %(zone)s,
    staged_at = clock_timestamp()
WHERE dag_id = %(dag_id)s
