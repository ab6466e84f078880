-- What a run settled by exports: records of no chunk.
SELECT
    count(*) FILTER (WHERE reason = 'not_in_campaign')::integer,
    count(*) FILTER (WHERE reason = 'already_coded')::integer,
    count(*) FILTER (WHERE reason = 'already_handled')::integer
FROM wolkvox.codification
WHERE dag_run_id = %(dag_run_id)s
    AND dag_id = %(dag_id)s
    AND operation = %(operation)s
    AND chunk_id IS NULL
    AND state IN ('coded', 'rejected')
