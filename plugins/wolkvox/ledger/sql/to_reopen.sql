-- What is offered again on request, and whether a daily digest covers it. An anonymous customer can't be sent. A
-- digested record of which a new one was made before is left out: the new one is offered. Keys begin with the second of
-- their contact, by which the new one is found.
SELECT id, contact_key, is_digested
FROM (
    SELECT
        *,
        settled_at < (
            SELECT (max(day) + 1)::timestamp AT TIME ZONE 'UTC'
            FROM wolkvox.daily_digest
            WHERE daily_digest.operation = %(operation)s
        ) IS TRUE AS is_digested,
        lpad(to_hex(floor(extract(EPOCH FROM contacted_at))::bigint), 8, '0') AS begins
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND contacted_at >= %(window_start)s
        AND contacted_at < %(window_end)s
        AND contacted_at >= clock_timestamp() - %(expire_after)s -- an older one would expire at once
        AND (state IN ('rejected', 'failed') OR state = 'invalid' AND reason = 'cod_act_unknown')
        AND (state = %(kind)s OR reason = %(kind)s)
        AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
        AND customer_id !~ '^#[0-9a-f]{32}$'
    FOR UPDATE
) AS found
WHERE NOT is_digested
    OR NOT EXISTS (
        SELECT
        FROM wolkvox.codification AS again
        WHERE again.contact_key >= (found.begins || repeat('0', 24))::uuid
            AND again.contact_key <= (found.begins || repeat('f', 24))::uuid
            AND again.operation = %(operation)s
            AND again.customer_id = found.customer_id
            AND again.campaign_id = found.campaign_id
            AND again.type_campaign = found.type_campaign
            AND again.id > found.id
    )
