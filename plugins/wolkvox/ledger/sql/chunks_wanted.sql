SELECT NOT EXISTS (
    SELECT FROM wolkvox.run WHERE operation = %(operation)s AND state = 'running'
) AND EXISTS (
    SELECT
    FROM wolkvox.codification
    WHERE operation = %(operation)s
        AND state = 'pending'
        AND (not_before IS NULL OR not_before <= clock_timestamp())
) AS wanted
