-- Give each of these versions a row of today, which is younger than what came in meanwhile; the old one keeps what was
-- answered, under a key that no contact has.
WITH versions AS (
    SELECT record.*, version.key
    FROM unnest(%(keys)s::uuid[], %(spare)s::uuid[]) AS version (key, spare)
    INNER JOIN wolkvox.codification AS record ON record.contact_key = version.spare
)
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id,
    cod_act, cod_act_2, comment, contacted_at, state, dag_id, dag_run_id,
    channel, direct, protected_until
)
SELECT
    versions.key,
    operation,
    type_campaign,
    campaign_id,
    customer_id,
    cod_act,
    cod_act_2,
    comment,
    greatest(
        contacted_at,
        (
            SELECT max(later.contacted_at)
            FROM wolkvox.contact_version
            INNER JOIN wolkvox.codification AS later ON later.contact_key = contact_version.current
            WHERE contact_version.outdated = versions.key
        )
    ),
    'pending',
    %(dag_id)s,
    %(dag_run_id)s,
    channel,
    direct,
    protected_until
FROM versions
