-- What waits, counted by an index alone however much it is. Customers who aren't in their campaign, and are looked for
-- again, are few; nobody dials them.
SELECT
    (
        SELECT count(*) FROM wolkvox.codification WHERE operation = %(operation)s AND state = 'pending'
    ) - absent.records AS waiting,
    (
        SELECT contacted_at
        FROM wolkvox.codification
        WHERE operation = %(operation)s AND state = 'pending' AND reason IS DISTINCT FROM 'not_in_campaign'
        ORDER BY contacted_at
        LIMIT 1
    ) AS oldest,
    absent.records AS absent
FROM (
    SELECT count(*) AS records
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'pending' AND not_before IS NOT NULL AND reason = 'not_in_campaign'
) AS absent
