SELECT codification_id, dialled_at, breach, noted_at
FROM wolkvox.dial
WHERE codification_id = ANY(%(ids)s)
ORDER BY dialled_at
