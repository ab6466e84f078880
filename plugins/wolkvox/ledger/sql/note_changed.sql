-- A contact of the same customer, campaign and second as an earlier one: the warehouse has changed its code. A key
-- begins with the second (rules/contacts.py), so keys of one second are neighbours in the index. Each second is read
-- once, however many contacts it has: a warehouse that keeps days only gives all contacts of a day one second.
INSERT INTO wolkvox.contact_version (operation, outdated, current)
SELECT %(operation)s, outdated, current
FROM (
    SELECT
        array_agg(contact.contact_key) FILTER (WHERE contact.id <= %(mark)s AND contact.state <> 'invalid') AS before,
        array_agg(contact.contact_key) FILTER (WHERE contact.id > %(mark)s AND contact.state = 'pending') AS since
    FROM (
        SELECT DISTINCT lpad(to_hex(floor(extract(epoch FROM contacted_at))::bigint), 8, '0') AS begins
        FROM wolkvox.codification
        WHERE id > %(mark)s AND operation = %(operation)s AND state = 'pending'
    ) AS second
    INNER JOIN wolkvox.codification AS contact
        ON contact.contact_key >= (second.begins || repeat('0', 24))::uuid
        AND contact.contact_key <= (second.begins || repeat('f', 24))::uuid
        AND contact.operation = %(operation)s
    GROUP BY second.begins, contact.customer_id, contact.campaign_id, contact.type_campaign
) AS together
CROSS JOIN unnest(together.before) AS outdated
CROSS JOIN unnest(together.since) AS current
ON CONFLICT DO NOTHING
