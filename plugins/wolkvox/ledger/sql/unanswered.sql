SELECT count(*)
FROM wolkvox.codification
WHERE operation = %(operation)s
    AND state = 'pending'
    AND not_before IS NOT NULL
    AND sent_at > coalesce(
        (
            SELECT settled_at
            FROM wolkvox.codification
            WHERE operation = %(operation)s AND state IN ('coded', 'rejected') AND settled_at IS NOT NULL
            ORDER BY settled_at DESC
            LIMIT 1
        ),
        '-infinity'
    )
