-- The last code that each customer of a campaign was given, against the one that wolkvox shows.
WITH latest AS (
    SELECT DISTINCT ON (customer_id) id, customer_id, cod_act, cod_act_2
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND type_campaign = %(type_campaign)s
        AND campaign_id = %(campaign_id)s
        AND state = 'coded'
        AND settled_at >= %(since)s
        AND settled_at < %(begun)s
    ORDER BY customer_id, settled_at DESC, id DESC
), compared AS (
    SELECT
        latest.id,
        coalesce(
            bool_or(
                exported.cod_act = latest.cod_act
                -- Where the operation has no second codes, none is shown.
                AND (latest.cod_act_2 IS NULL OR exported.cod_act_2 IN ('', latest.cod_act_2))
            ),
            false
        ) AS same,
        nullif(max(exported.cod_act), '') AS shown
    FROM latest
    LEFT JOIN exported ON exported.alike = wolkvox.alike(latest.customer_id)
    GROUP BY latest.id
), marked AS (
    UPDATE wolkvox.codification AS record
    SET audited_at = clock_timestamp(),
        confirmed_at = CASE WHEN same THEN clock_timestamp() ELSE record.confirmed_at END,
        audit = CASE WHEN same THEN NULL WHEN compared.shown IS NULL THEN 'missing' ELSE 'mismatch' END,
        shown = CASE WHEN NOT same THEN compared.shown END
    FROM compared
    WHERE record.id = compared.id
    RETURNING record.audit
)
SELECT
    count(*) FILTER (WHERE audit IS NULL)::integer,
    count(*) FILTER (WHERE audit = 'mismatch')::integer,
    count(*) FILTER (WHERE audit = 'missing')::integer
FROM marked
