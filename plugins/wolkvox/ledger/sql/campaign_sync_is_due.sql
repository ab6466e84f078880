-- A look of the future was noted by a clock that was ahead; in the year 9999 are those of operations that never ask.
SELECT
    NOT EXISTS (
        SELECT
        FROM wolkvox.campaign_sync
        WHERE operation = %(operation)s
            AND (synced_at BETWEEN clock_timestamp() - %(again)s AND clock_timestamp() OR synced_at >= '9999-01-01')
    )
    OR (
        %(by_hand)s
        AND EXISTS (SELECT FROM wolkvox.suspended_campaign WHERE operation = %(operation)s AND reason = ANY(%(misfits)s::text[]))
    )
