-- The records whose customers were dialled after or before they were codified, or for this cause.
WITH record AS (
    SELECT *
    FROM wolkvox.codification
    WHERE EXISTS (
        SELECT
        FROM wolkvox.dial
        WHERE dial.codification_id = codification.id
            AND CASE %(dialled)s
                WHEN 'after' THEN codification.state = 'coded' AND dial.dialled_at > codification.settled_at
                WHEN 'before' THEN codification.state = 'coded' AND dial.dialled_at <= codification.settled_at
                ELSE dial.breach = %(dialled)s
            END
    )
)
