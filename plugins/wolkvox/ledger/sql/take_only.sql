-- The waiting ones of a chunk's own records. They were chosen by hand: no delay and no suspension applies.
SELECT
    id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, attempts, not_before IS NOT NULL, true
FROM wolkvox.codification
WHERE id = ANY(%(ids)s)
    AND state = 'pending'
    AND NOT coalesce(
        not_before >= %(made_at)s AND sent_at >= %(made_at)s AND reason IS DISTINCT FROM 'unknown_crash',
        false
    )
    AND id <> ALL(%(kept)s::bigint[])
ORDER BY contacted_at DESC, id DESC
LIMIT %(most)s
