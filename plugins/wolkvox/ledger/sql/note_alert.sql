INSERT INTO wolkvox.alert (operation, dag_id, alert, message, firing_since, seen_at, resolved_at, again)
VALUES (
    %(operation)s, %(dag_id)s, %(name)s, %(message)s, %(firing_since)s, %(seen_at)s, %(resolved_at)s, %(again)s
)
ON CONFLICT (operation, dag_id, alert) DO UPDATE SET
    message = excluded.message,
    firing_since = excluded.firing_since,
    seen_at = excluded.seen_at,
    resolved_at = excluded.resolved_at,
    again = excluded.again
