-- Of two triggers that send the same event, only the first one writes it.
INSERT INTO wolkvox.watch AS watch (dag_id, event_at, event_saw, event_repeats, polled_at)
VALUES (%(dag_id)s, clock_timestamp(), %(saw)s, %(repeats)s, clock_timestamp())
ON CONFLICT (dag_id) DO UPDATE SET
    event_at = excluded.event_at,
    event_saw = excluded.event_saw,
    event_repeats = excluded.event_repeats,
    polled_at = excluded.polled_at
WHERE watch.event_at IS NOT DISTINCT FROM %(last)s
    OR watch.event_at > clock_timestamp() -- by a clock that was ahead
