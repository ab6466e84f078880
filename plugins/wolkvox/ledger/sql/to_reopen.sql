-- What is offered again on request, and whether a seal covers what became of it. An anonymous customer can't be sent.
SELECT
    id,
    contact_key,
    settled_at < (
        SELECT (max(day) + 1)::timestamp AT TIME ZONE 'UTC' FROM wolkvox.seal WHERE seal.operation = %(operation)s
    ) IS TRUE AS is_sealed
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
