-- What came in by full hours of the last weeks, without what was held and not released. Each row tells also when the
-- first arrival was, and when the DAG last pulled the usual window.
SELECT
    hour.began_at,
    greatest(hour.records - coalesce(held.records, 0), 0)::bigint AS records,
    first.since,
    watch.staged_at
FROM (
    SELECT min(staged_at) AS since FROM wolkvox.ingest_count WHERE operation = %(operation)s
) AS first
LEFT JOIN wolkvox.watch ON watch.dag_id = %(dag_id)s
LEFT JOIN (
    SELECT date_bin('1 hour', staged_at, 'epoch') AS began_at, sum(records) AS records
    FROM wolkvox.ingest_count
    WHERE operation = %(operation)s
        AND staged_at >= now() - %(weeks)s - interval '1 hour'
        AND staged_at < date_bin('1 hour', now(), 'epoch')
    GROUP BY 1
) AS hour ON true
LEFT JOIN (
    SELECT date_bin('1 hour', held_at, 'epoch') AS began_at, sum(records) AS records
    FROM wolkvox.hold
    WHERE operation = %(operation)s AND decision IS DISTINCT FROM 'released'
    GROUP BY 1
) AS held ON held.began_at = hour.began_at
