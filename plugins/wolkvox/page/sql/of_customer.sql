-- noqa: disable=PRS
-- The records of a customer; each state's records are found in an index of their own.
WITH found AS (
    SELECT id
    FROM wolkvox.codification
    WHERE customer_id = ANY(%(customers)s) AND operation = %(operation)s AND state NOT IN ('pending', 'sending')
    UNION ALL
    SELECT id
    FROM wolkvox.codification
    WHERE customer_id = ANY(%(customers)s) AND operation = %(operation)s AND state = 'pending'
    UNION ALL
    SELECT id
    FROM wolkvox.codification
    WHERE customer_id = ANY(%(customers)s) AND operation = %(operation)s AND state = 'sending'
)
