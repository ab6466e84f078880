DELETE FROM wolkvox.codification
WHERE id IN (
    SELECT id
    FROM wolkvox.codification
    WHERE staged_at < now() - %(keep)s
        AND state NOT IN ('pending', 'sending')
    LIMIT %(batch)s
)
