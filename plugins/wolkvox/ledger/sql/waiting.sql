SELECT id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment
FROM wolkvox.codification
WHERE dag_run_id = %(dag_run_id)s AND chunk_id = %(chunk_id)s AND state = 'pending'
ORDER BY attempts, contacted_at DESC, id DESC
