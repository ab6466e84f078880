-- When the newest contact of an operation was made: each state's end of an index. Invalid contacts and those dated in
-- the future are left out.
SELECT max(contacted_at)
FROM (
    (
        SELECT contacted_at
        FROM wolkvox.codification
        WHERE operation = %(operation)s AND state = 'pending' AND contacted_at <= now()
        ORDER BY contacted_at DESC
        LIMIT 1
    )
    UNION ALL
    SELECT contacted_at
    FROM wolkvox.codification
    WHERE operation = %(operation)s AND state = 'sending' AND contacted_at <= now()
    UNION ALL
    SELECT settled.contacted_at
    FROM unnest(%(states)s::text[]) AS of (state)
    CROSS JOIN LATERAL (
        SELECT contacted_at
        FROM wolkvox.codification
        WHERE operation = %(operation)s
            AND codification.state = of.state
            AND state NOT IN ('pending', 'sending')
            AND contacted_at <= now()
        ORDER BY least(contacted_at, staged_at) DESC
        LIMIT 1
    ) AS settled
) AS latest
