-- The one record that tries whether an outage is over: of those tried least, the newest.
SELECT id
FROM wolkvox.codification AS record
WHERE operation = %(operation)s
    AND state = 'pending'
ORDER BY attempts, contacted_at DESC, id DESC
LIMIT 1
FOR UPDATE SKIP LOCKED
