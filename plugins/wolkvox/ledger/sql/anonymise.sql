UPDATE wolkvox.codification AS record
SET customer_id = known.customer_id, contact_key = known.contact_key, comment = NULL, response_msg = NULL
FROM unnest(%(ids)s::bigint[], %(customers)s::text[], %(keys)s::uuid[]) AS known (id, customer_id, contact_key)
WHERE record.id = known.id
