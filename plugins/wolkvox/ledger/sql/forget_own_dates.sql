-- Deletes the dates of our own requests that were noted as dials.
DELETE FROM wolkvox.dial
USING recent
WHERE dial.codification_id = recent.id
    AND EXISTS (
        SELECT
        FROM recent AS request
        WHERE request.campaign_id = recent.campaign_id
            AND request.normalised_id = recent.normalised_id
            AND dial.dialled_at BETWEEN request.sent_at - %(margin)s
                AND coalesce(request.settled_at, request.sent_at) + %(margin)s
    )
