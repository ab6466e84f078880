-- What an export has of a campaign's contacts that were not compared before, and of the customers whose code wolkvox
-- took in the hour before the export was asked for.
WITH fresh AS (
    SELECT wolkvox.alike(customer_id) AS alike
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND type_campaign = %(type_campaign)s
        AND campaign_id = %(campaign_id)s
        AND state = 'pending'
        AND reason IS DISTINCT FROM 'not_in_campaign'
), confirmed AS (
    SELECT DISTINCT ON (customer_id) wolkvox.alike(customer_id) AS alike, ltrim(lower(cod_act), '0') AS code
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
    (SELECT count(*) FROM fresh WHERE alike NOT IN (SELECT alike FROM exported))::integer,
    (SELECT count(*) FROM confirmed)::integer,
    (SELECT count(*) FROM confirmed WHERE alike NOT IN (SELECT alike FROM exported))::integer,
    (
        SELECT count(*)
        FROM confirmed
        WHERE (alike, code) IN (SELECT alike, ltrim(lower(cod_act), '0') FROM exported WHERE cod_act <> '')
    )::integer
