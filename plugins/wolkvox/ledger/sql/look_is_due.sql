SELECT
    NOT EXISTS (
        SELECT FROM wolkvox.look WHERE operation = %(operation)s AND looked_at > clock_timestamp() - %(again)s
    )
    OR (
        %(by_hand)s
        AND EXISTS (SELECT FROM wolkvox.parked WHERE operation = %(operation)s AND reason = ANY(%(misfits)s::text[]))
    )
