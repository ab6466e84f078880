-- The trial records of some suspended campaigns: first the newest ones that were never sent, then those sent longest
-- ago. Customers who aren't in the campaign are left out: wolkvox rejects them whatever the campaign's state.
SELECT
    id, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, attempts, not_before IS NOT NULL, true
FROM (
    SELECT
        record.*,
        row_number() OVER (
            PARTITION BY type_campaign, campaign_id ORDER BY sent_at NULLS FIRST, contacted_at DESC, id DESC
        ) AS rank
    FROM wolkvox.codification AS record
    WHERE operation = %(operation)s
        AND state = 'pending'
        AND NOT coalesce(reason = 'not_in_campaign' AND not_before > clock_timestamp(), false)
        AND (type_campaign, campaign_id) IN (
            SELECT * FROM unnest(%(types)s::text[], %(campaigns)s::text[])
        )
) AS ranked
WHERE rank <= %(trials)s
ORDER BY contacted_at DESC, id DESC
