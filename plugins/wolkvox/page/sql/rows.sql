SELECT
    id,
    type_campaign,
    campaign_id,
    customer_id,
    cod_act,
    state,
    reason,
    response_code,
    response_msg,
    attempts,
    contacted_at,
    settled_at,
    CASE WHEN state = 'pending' THEN not_before END AS not_before,
    dag_id,
    dag_run_id,
    chunk_id IS NOT NULL AND state NOT IN ('invalid', 'superseded', 'expired') AS in_chunk,
    chunk_number,
    channel,
    direct
FROM wolkvox.codification
WHERE operation = %(operation)s
    AND state = ANY(%(states)s::text[])
    AND (%(type_campaign)s::text IS NULL OR type_campaign = %(type_campaign)s)
    AND (%(campaign_id)s::text IS NULL OR campaign_id = %(campaign_id)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(run)s::text IS NULL OR dag_run_id = %(run)s)
    AND (%(dag)s::text IS NULL OR coalesce(dag_id, %(dag)s) = %(dag)s)
    AND (%(chunk)s::integer IS NULL OR chunk_number = %(chunk)s AND chunk_id IS NOT NULL)
    AND (%(since)s::timestamptz IS NULL OR contacted_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR contacted_at < %(until)s)
    AND (%(dialled)s::text IS NULL OR id IN (
        SELECT dial.codification_id
        FROM wolkvox.dial
        INNER JOIN wolkvox.codification AS record ON record.id = dial.codification_id
        WHERE CASE %(dialled)s
            WHEN 'after' THEN record.state = 'coded' AND dial.dialled_at > record.settled_at
            WHEN 'before' THEN record.state = 'coded' AND dial.dialled_at <= record.settled_at
            ELSE dial.breach = %(dialled)s
        END
    ))
    AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC
LIMIT %(limit)s
