-- Inserts these contacts again, under the keys that the warehouse gives them; the old rows keep their answers under
-- spare keys. As the latest version, a contact is dated no earlier than the versions that came after it.
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id,
    cod_act, cod_act_2, comment, contacted_at, state, dag_id, dag_run_id,
    channel, direct, protected_until
)
SELECT
    version.key,
    record.operation,
    record.type_campaign,
    record.campaign_id,
    record.customer_id,
    record.cod_act,
    record.cod_act_2,
    record.comment,
    greatest(
        record.contacted_at,
        (
            SELECT max(later.contacted_at)
            FROM wolkvox.contact_version
            INNER JOIN wolkvox.codification AS later ON later.contact_key = contact_version.current
            WHERE %(as_latest)s AND contact_version.outdated = version.key
        )
    ),
    'pending',
    %(dag_id)s,
    %(dag_run_id)s,
    record.channel,
    record.direct,
    record.protected_until
FROM unnest(%(keys)s::uuid[], %(spare)s::uuid[]) AS version (key, spare)
INNER JOIN wolkvox.codification AS record ON record.contact_key = version.spare
