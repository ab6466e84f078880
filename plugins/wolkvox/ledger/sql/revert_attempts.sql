UPDATE wolkvox.codification AS record
SET state = 'pending', settled_at = NULL, attempts = greatest(0, attempts - met.requests)
FROM unnest(%(ids)s::bigint[], %(requests)s::integer[]) AS met (id, requests)
WHERE record.id = met.id AND record.chunk_id = %(chunk_id)s AND record.state IN ('pending', 'failed')
