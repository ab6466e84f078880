-- The latest records of one state that fit the filters, from `record` of every.sql or dialled.sql, with the columns in
-- the order of `Record`. Listed by the time of contact, or by the time they came in where the contact has none or a
-- later one.
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
    chunk_id IS NOT NULL AND state NOT IN ('invalid', 'superseded', 'expired', 'held') AS in_chunk,
    chunk_number,
    least(contacted_at, staged_at) AS listed_at,
    channel,
    direct
FROM record
WHERE operation = %(operation)s
    AND state = %(state)s
    AND (%(type_campaign)s::text IS NULL OR type_campaign = %(type_campaign)s)
    AND (%(campaign_id)s::text IS NULL OR campaign_id = %(campaign_id)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(run)s::text IS NULL OR dag_run_id = %(run)s)
    AND (%(dag)s::text IS NULL OR coalesce(dag_id, %(dag)s) = %(dag)s)
    AND (%(chunk)s::integer IS NULL OR chunk_number = %(chunk)s AND chunk_id IS NOT NULL)
    AND (%(since)s::timestamptz IS NULL OR least(contacted_at, staged_at) >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR least(contacted_at, staged_at) < %(until)s)
    AND (
        %(before)s::bigint IS NULL
        OR (least(contacted_at, staged_at), id) < (%(before_at)s::timestamptz, %(before)s::bigint)
    )
ORDER BY least(contacted_at, staged_at) DESC, id DESC
LIMIT %(limit)s
