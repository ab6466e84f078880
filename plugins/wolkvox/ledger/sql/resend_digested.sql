-- Each of these contacts again, under the key by which the warehouse gives it; what was sealed keeps its answer.
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id,
    cod_act, cod_act_2, comment, contacted_at, state, dag_id, dag_run_id,
    channel, direct, protected_until
)
SELECT
    version.key,
    operation,
    type_campaign,
    campaign_id,
    customer_id,
    cod_act,
    cod_act_2,
    comment,
    contacted_at,
    'pending',
    %(dag_id)s,
    %(dag_run_id)s,
    channel,
    direct,
    protected_until
FROM unnest(%(keys)s::uuid[], %(spare)s::uuid[]) AS version (key, spare)
INNER JOIN wolkvox.codification AS record ON record.contact_key = version.spare
