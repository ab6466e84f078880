WITH compared AS (
    SELECT
        record.id,
        count(exported.customer_id) > 0 AS is_there,
        coalesce(
            bool_or(
                exported.customer_id = record.customer_id
                AND exported.cod_act = record.cod_act
                AND (record.cod_act_2 IS NULL OR exported.cod_act_2 = record.cod_act_2)
            ),
            false
        ) AS carries_it,
        coalesce(bool_or(exported.customer_id = record.customer_id AND exported.cod_act <> ''), false) AS is_handled
    FROM wolkvox.codification AS record
    LEFT JOIN exported ON exported.alike = ltrim(lower(record.customer_id), '0')
    WHERE record.operation = %(operation)s
        AND record.type_campaign = %(type_campaign)s
        AND record.campaign_id = %(campaign_id)s
        AND record.state = 'pending'
    GROUP BY record.id
), settled AS (
    UPDATE wolkvox.codification AS record
    SET state = CASE WHEN compared.carries_it THEN 'coded' ELSE 'rejected' END,
        reason = CASE
            WHEN compared.carries_it THEN 'already_coded'
            WHEN compared.is_there THEN 'already_handled'
            ELSE 'not_in_campaign'
        END,
        settled_at = now(),
        dag_id = %(dag_id)s,
        dag_run_id = %(dag_run_id)s,
        chunk_id = NULL,
        chunk_number = NULL
    FROM compared
    WHERE record.id = compared.id
        AND record.state = 'pending'
        AND (compared.carries_it OR NOT compared.is_there OR (%(skip_handled)s AND compared.is_handled))
    RETURNING record.reason
)
SELECT
    count(*) FILTER (WHERE reason = 'not_in_campaign')::integer,
    count(*) FILTER (WHERE reason = 'already_coded')::integer,
    count(*) FILTER (WHERE reason = 'already_handled')::integer
FROM settled
