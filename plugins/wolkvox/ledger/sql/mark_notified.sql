-- Writes nothing for an alert that is no longer kept.
INSERT INTO wolkvox.notification (operation, dag_id, alert, recipient, firing_since, resolved, notified_at)
SELECT operation, dag_id, alert, %(recipient)s, %(firing_since)s, %(resolved)s, %(now)s
FROM wolkvox.alert
WHERE operation = %(operation)s AND dag_id = %(dag_id)s AND alert = %(alert)s
ON CONFLICT (operation, dag_id, alert, recipient) DO UPDATE SET
    firing_since = excluded.firing_since,
    resolved = excluded.resolved,
    notified_at = excluded.notified_at
