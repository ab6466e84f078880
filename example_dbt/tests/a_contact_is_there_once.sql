-- Two rows of one contact would be one request too many.
SELECT type_campaign, campaign_id, customer_id, contacted_at
FROM {{ ref('contacted_customers') }}
GROUP BY type_campaign, campaign_id, customer_id, contacted_at
HAVING count(*) > 1
