UPDATE wolkvox.codification AS record
SET state = 'pending', settled_at = NULL, attempts = greatest(0, attempts - met.calls)
FROM unnest(%(ids)s::bigint[], %(calls)s::integer[]) AS met (id, calls)
WHERE record.id = met.id AND record.chunk_id = %(chunk_id)s AND record.state IN ('pending', 'failed')
