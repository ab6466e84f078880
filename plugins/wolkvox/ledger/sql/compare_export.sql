-- Counts what an export has of a campaign's contacts that were not compared before, and of the customers whose code
-- wolkvox took in the hour before the export was asked for.
WITH fresh AS (
    SELECT wolkvox.normalised_id(customer_id) AS normalised_id
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND type_campaign = %(type_campaign)s
        AND campaign_id = %(campaign_id)s
        AND state = 'pending'
        AND reason IS DISTINCT FROM 'not_in_campaign'
), confirmed AS (
    SELECT DISTINCT ON (customer_id)
        wolkvox.normalised_id(customer_id) AS normalised_id,
        wolkvox.normalised_code(cod_act) AS code
    FROM wolkvox.codification
    INNER JOIN wolkvox.export USING (operation, campaign_id)
    WHERE operation = %(operation)s
        AND campaign_id = %(campaign_id)s
        AND type_campaign = %(type_campaign)s
        AND settled_at >= asked_at - %(confirmed)s
        AND settled_at < asked_at
        AND state = 'coded'
        AND chunk_id IS NOT NULL
    ORDER BY customer_id, settled_at DESC
)
SELECT
    (SELECT count(*) FROM fresh)::integer,
    (SELECT count(*) FROM fresh WHERE normalised_id NOT IN (SELECT normalised_id FROM exported))::integer,
    (SELECT count(*) FROM confirmed)::integer,
    (SELECT count(*) FROM confirmed WHERE normalised_id NOT IN (SELECT normalised_id FROM exported))::integer,
    (
        SELECT count(*)
        FROM confirmed
        WHERE (normalised_id, code) IN (SELECT normalised_id, wolkvox.normalised_code(cod_act) FROM exported)
    )::integer
