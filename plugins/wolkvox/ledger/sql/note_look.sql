WITH before AS (
    SELECT looked_at FROM wolkvox.look WHERE operation = %(operation)s
), noted AS (
    INSERT INTO wolkvox.look (operation, looked_at)
    VALUES (%(operation)s, clock_timestamp())
    ON CONFLICT (operation) DO UPDATE SET looked_at = excluded.looked_at
)
SELECT least((SELECT looked_at FROM before), clock_timestamp() - %(again)s) AS looked_at
