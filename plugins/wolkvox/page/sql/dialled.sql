-- noqa: disable=PRS
-- The records whose customers were dialled after they were codified, while protected, or before, or for this cause,
-- each with the last such dial.
WITH record AS (
    SELECT codification.*, dialled.dialled_at, dialled.breach
    FROM wolkvox.codification
    CROSS JOIN LATERAL (
        SELECT dial.dialled_at, dial.breach
        FROM wolkvox.dial
        WHERE dial.codification_id = codification.id
            AND CASE %(dialled)s
                WHEN 'after' THEN codification.state = 'coded'
                    AND dial.dialled_at > codification.settled_at
                    AND (codification.protected_until IS NULL OR dial.dialled_at < codification.protected_until)
                WHEN 'before' THEN codification.state = 'coded' AND dial.dialled_at <= codification.settled_at
                ELSE dial.breach = %(dialled)s
            END
        ORDER BY dial.dialled_at DESC
        LIMIT 1
    ) AS dialled
)
