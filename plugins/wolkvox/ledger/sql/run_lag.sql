SELECT
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - contacted_at)::float),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - contacted_at)::float)
FROM wolkvox.codification
WHERE dag_run_id = %(dag_run_id)s AND chunk_id = ANY(%(chunk_ids)s) AND state = 'coded'
