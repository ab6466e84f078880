WITH before AS (
    SELECT synced_at FROM wolkvox.campaign_sync WHERE operation = %(operation)s
), noted AS (
    INSERT INTO wolkvox.campaign_sync (operation, synced_at)
    VALUES (%(operation)s, clock_timestamp())
    ON CONFLICT (operation) DO UPDATE SET synced_at = excluded.synced_at
)
SELECT least((SELECT synced_at FROM before), clock_timestamp() - %(again)s) AS synced_at
