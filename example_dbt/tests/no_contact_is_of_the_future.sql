-- A time that was written in one zone and read in another is usually hours ahead.
SELECT customer_id, contacted_at
FROM {{ ref('contacted_customers') }}
WHERE contacted_at > current_timestamp
