-- noqa: disable=PRS
-- The records whose customers were dialled after codification while protected, or before it, or with this cause.
WITH record AS (
    SELECT *
    FROM wolkvox.codification
    WHERE EXISTS (
        SELECT
        FROM wolkvox.dial
        WHERE dial.codification_id = codification.id
            AND CASE %(dialled)s
                WHEN 'after' THEN codification.state = 'coded'
                    AND dial.dialled_at > codification.settled_at
                    AND (codification.protected_until IS NULL OR dial.dialled_at < codification.protected_until)
                WHEN 'before' THEN codification.state = 'coded' AND dial.dialled_at <= codification.settled_at
                ELSE dial.breach = %(dialled)s
            END
    )
)
