WITH inserted AS (
    INSERT INTO wolkvox.codification (
        contact_key, operation, type_campaign, campaign_id, customer_id,
        cod_act, cod_act_2, comment, contacted_at, state, reason, settled_at, dag_id, dag_run_id,
        channel, direct, protected_until
    )
    SELECT
        contact_key, %(operation)s, type_campaign, campaign_id, customer_id,
        cod_act, cod_act_2, comment, contacted_at,
        CASE WHEN reason IS NULL THEN 'pending' ELSE 'invalid' END,
        reason,
        CASE WHEN reason IS NOT NULL THEN now() END,
        %(dag_id)s,
        %(dag_run_id)s,
        channel,
        direct,
        protected_until
    FROM incoming
    ORDER BY position
    ON CONFLICT (contact_key) DO NOTHING
    RETURNING state
)
SELECT
    count(*) FILTER (WHERE state = 'pending') AS valid,
    count(*) FILTER (WHERE state = 'invalid') AS invalid
FROM inserted
