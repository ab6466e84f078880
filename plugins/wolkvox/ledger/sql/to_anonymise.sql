-- The next contacts by id, whatever their age or state: the index leads to them however many there are.
SELECT
    id,
    operation,
    customer_id,
    contact_key,
    staged_at < %(before)s AND state NOT IN ('pending', 'sending') AS is_due
FROM wolkvox.codification
WHERE id > (SELECT anonymous FROM wolkvox.retention)
ORDER BY id
LIMIT %(batch)s
