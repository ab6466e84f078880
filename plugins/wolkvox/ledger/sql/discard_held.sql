-- Under a key that no contact has: what the warehouse gives again, once it is mended, comes in and is judged again.
UPDATE wolkvox.codification
SET state = 'invalid', reason = 'held_discarded', settled_at = now(), contact_key = gen_random_uuid()
WHERE operation = %(operation)s AND state = 'held' AND hold_id = %(hold)s
