SELECT slot, lock_class, lock_number
FROM wolkvox.slot
WHERE operation = %(operation)s
    AND slot IS DISTINCT FROM %(mine)s
    AND EXISTS (
        SELECT FROM wolkvox.codification
        WHERE codification.slot = slot.slot
            AND codification.state = 'sending'
            AND codification.sent_at <= clock_timestamp() - %(silence)s
    )
