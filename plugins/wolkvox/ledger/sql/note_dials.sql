-- Each customer's last dial, if it came after a contact: noted with the contact whose protection it breaks, else with
-- the last one before it.
INSERT INTO wolkvox.dial (codification_id, dialled_at, breach)
SELECT
    record.id,
    record.dialled_at,
    CASE
        WHEN record.protected_until IS NULL OR record.protected_until <= record.dialled_at THEN NULL
        WHEN record.state = 'coded' AND record.settled_at < record.dialled_at THEN 'vendor'
        WHEN record.state IN ('rejected', 'failed') AND record.settled_at < record.dialled_at THEN 'refused'
        WHEN record.state = 'invalid' THEN 'invalid'
        -- A run that asked for its time was over before the warehouse had it.
        WHEN record.staged_at > record.dialled_at AND EXISTS (
            SELECT
            FROM wolkvox.run
            WHERE run.operation = %(operation)s
                AND run.began_at >= record.contacted_at
                AND run.ended_at < record.staged_at
                AND run.window_start <= record.contacted_at
                AND run.window_end > record.contacted_at
        ) THEN 'late_row'
        ELSE coalesce(
            (
                SELECT CASE run.counts ->> 'stopped' WHEN 'quota' THEN 'quota' ELSE 'outage' END
                FROM wolkvox.run
                WHERE run.operation = %(operation)s
                    AND run.began_at >= record.contacted_at - interval '1 day'
                    AND run.began_at < record.dialled_at
                    AND run.ended_at > record.contacted_at
                    AND (run.counts ->> 'stopped' IN ('quota', 'outage') OR run.counts -> 'complaints' ? 'stage')
                ORDER BY run.began_at DESC
                LIMIT 1
            ),
            'lag'
        )
    END
FROM (
    SELECT DISTINCT ON (exported.customer_id)
        record.id,
        record.state,
        record.contacted_at,
        record.staged_at,
        record.settled_at,
        record.protected_until,
        exported.dialled_at
    FROM exported
    INNER JOIN wolkvox.codification AS record ON wolkvox.alike(record.customer_id) = exported.alike
    WHERE record.operation = %(operation)s
        AND record.type_campaign = %(type_campaign)s
        AND record.campaign_id = %(campaign_id)s
        AND record.contacted_at >= %(since)s
        AND record.contacted_at < exported.dialled_at
        AND NOT (
            %(moves_date)s
            AND record.sent_at IS NOT NULL
            AND exported.dialled_at BETWEEN record.sent_at - %(margin)s
                AND coalesce(record.settled_at, record.sent_at) + %(margin)s
        )
    ORDER BY
        exported.customer_id,
        coalesce(record.protected_until > exported.dialled_at, false) DESC,
        record.contacted_at DESC
) AS record
ON CONFLICT DO NOTHING
