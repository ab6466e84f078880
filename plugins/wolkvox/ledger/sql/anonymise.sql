UPDATE wolkvox.codification AS record
SET customer_id = made.customer_id, contact_key = made.contact_key, comment = NULL, response_msg = NULL
FROM unnest(%(ids)s::bigint[], %(customers)s::text[], %(keys)s::uuid[]) AS made (id, customer_id, contact_key)
WHERE record.id = made.id
