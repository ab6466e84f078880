-- A date in the future was written by a clock that was ahead; the year 9999 marks an operation that never asks.
SELECT
    NOT EXISTS (
        SELECT
        FROM wolkvox.campaign_sync
        WHERE operation = %(operation)s
            AND (synced_at BETWEEN clock_timestamp() - %(again)s AND clock_timestamp() OR synced_at >= '9999-01-01')
    )
    OR (
        %(by_hand)s
        AND EXISTS (
            SELECT
            FROM wolkvox.suspended_campaign
            WHERE operation = %(operation)s AND reason = ANY(%(misfits)s::text[])
        )
    )
