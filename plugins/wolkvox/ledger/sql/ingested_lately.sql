-- What came in within the last hour or a quarter more; arrivals are kept by quarters of an hour.
SELECT coalesce(sum(records), 0)::bigint AS records, now()
FROM wolkvox.ingest_count
WHERE operation = %(operation)s AND staged_at > now() - interval '75 minutes'
