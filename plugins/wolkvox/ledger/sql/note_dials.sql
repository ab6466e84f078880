-- Notes each customer's last dial, if it came after a contact: with the contact whose protection it breaks, else with
-- the last contact before it. Dates later than the load of the contacts are left to the next audit, which can tell what
-- they are of.
WITH dialled AS (
    SELECT DISTINCT ON (exported.customer_id)
        recent.id,
        exported.dialled_at
    FROM exported
    INNER JOIN recent USING (normalised_id)
    WHERE recent.type_campaign = %(type_campaign)s
        AND recent.campaign_id = %(campaign_id)s
        AND recent.contacted_at >= %(since)s
        AND recent.contacted_at < exported.dialled_at
        AND exported.dialled_at < %(loaded_at)s
        AND (
            %(dates_are_dials)s
            OR NOT EXISTS (
                SELECT
                FROM recent AS request
                WHERE request.campaign_id = recent.campaign_id
                    AND request.normalised_id = recent.normalised_id
                    AND exported.dialled_at BETWEEN request.sent_at - %(margin)s
                        AND coalesce(request.settled_at, request.sent_at) + %(margin)s
            )
        )
    ORDER BY
        exported.customer_id,
        coalesce(recent.protected_until > exported.dialled_at, false) DESC,
        recent.contacted_at DESC
)
INSERT INTO wolkvox.dial (codification_id, dialled_at, breach)
SELECT
    record.id,
    dialled.dialled_at,
    CASE
        WHEN record.protected_until IS NULL OR record.protected_until <= dialled.dialled_at THEN NULL
        WHEN record.state = 'coded' AND record.settled_at < dialled.dialled_at THEN 'vendor'
        WHEN record.state IN ('rejected', 'failed') AND record.settled_at < dialled.dialled_at THEN 'refused'
        WHEN record.state = 'invalid' THEN 'invalid'
        -- A run whose window has the contact was over before the warehouse had the row.
        WHEN record.staged_at > dialled.dialled_at AND EXISTS (
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
                    AND run.began_at < dialled.dialled_at
                    AND run.ended_at > record.contacted_at
                    AND (run.counts ->> 'stopped' IN ('quota', 'outage') OR run.counts -> 'complaints' ? 'stage')
                ORDER BY run.began_at DESC
                LIMIT 1
            ),
            'lag'
        )
    END
FROM dialled
INNER JOIN wolkvox.codification AS record USING (id)
WHERE NOT EXISTS (
    SELECT
    FROM wolkvox.dial
    WHERE dial.codification_id = dialled.id AND dial.dialled_at = dialled.dialled_at
)
ON CONFLICT DO NOTHING
