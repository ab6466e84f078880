-- What became of the rows that a run brought, by state and campaign: the largest groups first, the newest rows of each.
-- Rows without a campaign that can be one are counted together.
SELECT state, type_campaign, campaign_id, records, customer_id, cod_act, contacted_at, reason
FROM (
    SELECT
        *,
        count(*) OVER of_group AS records,
        row_number() OVER (of_group ORDER BY contacted_at DESC NULLS LAST, id DESC) AS place
    FROM (
        SELECT
            id,
            state,
            CASE WHEN is_campaign THEN type_campaign END AS type_campaign,
            CASE WHEN is_campaign THEN campaign_id END AS campaign_id,
            customer_id,
            cod_act,
            contacted_at,
            reason
        FROM (
            SELECT
                *,
                (type_campaign IN ('preview', 'predictive') AND campaign_id ~ '^[0-9]{1,20}$') IS TRUE AS is_campaign
            FROM wolkvox.codification
            WHERE id > %(mark)s
                AND operation = %(operation)s
                AND dag_id = %(dag_id)s
                AND dag_run_id = %(dag_run_id)s
        ) AS record
    ) AS brought
    WINDOW of_group AS (PARTITION BY state, type_campaign, campaign_id)
) AS placed
WHERE place <= %(rows)s
ORDER BY records DESC, state, type_campaign, campaign_id, place
