-- A contact of the same customer, campaign and second as one that came in before: the warehouse has changed its code.
-- Keys begin with the second, so those of the same second lie side by side in their index.
INSERT INTO wolkvox.changed (operation, outdated, current)
SELECT new.operation, older.contact_key, new.contact_key
FROM wolkvox.codification AS new
CROSS JOIN LATERAL (
    SELECT lpad(to_hex(floor(extract(epoch FROM new.contacted_at))::bigint), 8, '0') AS begins
) AS second
INNER JOIN wolkvox.codification AS older
    ON older.contact_key >= (second.begins || repeat('0', 24))::uuid
    AND older.contact_key <= (second.begins || repeat('f', 24))::uuid
    AND older.id <= %(mark)s
    AND older.state <> 'invalid'
    AND older.operation = new.operation
    AND older.customer_id = new.customer_id
    AND older.campaign_id = new.campaign_id
    AND older.type_campaign = new.type_campaign
WHERE new.id > %(mark)s AND new.operation = %(operation)s AND new.state = 'pending'
ON CONFLICT DO NOTHING
