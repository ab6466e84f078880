-- Workers that will take what waits: alive with time left, or so new that their task may still be starting.
SELECT count(*)::integer
FROM wolkvox.chunk
WHERE operation = %(operation)s
    AND closed_at IS NULL
    AND NOT limited
    AND CASE
        WHEN began_at IS NULL THEN made_at BETWEEN clock_timestamp() - %(start)s AND clock_timestamp()
        ELSE
            ends_at > clock_timestamp() + %(enough)s
            AND EXISTS (SELECT FROM wolkvox.held_slot WHERE held_slot.chunk_id = chunk.chunk_id)
    END
