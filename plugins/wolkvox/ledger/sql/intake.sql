-- What a run brings, by campaign; rows without a campaign that can be one are counted together. A contact of the same
-- customer, campaign and second as one that came in before gives it another code: keys begin with the second.
WITH new AS MATERIALIZED (
    SELECT
        CASE WHEN is_campaign THEN type_campaign END AS type_campaign,
        CASE WHEN is_campaign THEN campaign_id END AS campaign_id,
        state,
        contacted_at
    FROM (
        SELECT *, (type_campaign IN ('preview', 'predictive') AND campaign_id ~ '^[0-9]{1,20}$') IS TRUE AS is_campaign
        FROM wolkvox.codification
        WHERE id > %(mark)s
            AND operation = %(operation)s
            AND dag_id = %(dag_id)s
            AND dag_run_id = %(dag_run_id)s
    ) AS record
), changed AS (
    SELECT type_campaign, campaign_id, sum(since) AS records
    FROM (
        SELECT
            contact.type_campaign,
            contact.campaign_id,
            count(*) FILTER (WHERE contact.id > %(mark)s AND contact.state = 'pending') AS since,
            count(*) FILTER (WHERE contact.id <= %(mark)s AND contact.state <> 'invalid') AS before
        FROM (
            SELECT DISTINCT lpad(to_hex(floor(extract(EPOCH FROM contacted_at))::bigint), 8, '0') AS begins
            FROM new
            WHERE state = 'pending'
        ) AS second
        INNER JOIN wolkvox.codification AS contact
            ON contact.contact_key >= (second.begins || repeat('0', 24))::uuid
            AND contact.contact_key <= (second.begins || repeat('f', 24))::uuid
            AND contact.operation = %(operation)s
        GROUP BY second.begins, contact.customer_id, contact.campaign_id, contact.type_campaign
    ) AS together
    WHERE since > 0 AND before > 0
    GROUP BY type_campaign, campaign_id
)
SELECT
    type_campaign,
    campaign_id,
    count(*) FILTER (WHERE state = 'pending') AS records,
    count(*) FILTER (WHERE state = 'invalid') AS invalid,
    coalesce(max(changed.records), 0)::bigint AS changed,
    count(*) FILTER (WHERE state = 'pending' AND contacted_at > now() + %(ahead)s) AS ahead
FROM new
LEFT JOIN changed USING (type_campaign, campaign_id)
GROUP BY type_campaign, campaign_id
