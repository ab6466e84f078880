SELECT
    number,
    extract(epoch FROM greatest(
        (
            SELECT max(sent_at) + %(call_timeout)s
            FROM wolkvox.codification
            WHERE slot = %(prefix)s || number AND state = 'sending' AND id <> ALL(%(own)s)
        ),
        (SELECT in_flight_until FROM wolkvox.slot WHERE slot = %(prefix)s || number)
    ) - clock_timestamp())::float AS seconds
FROM generate_series(0, %(slots)s - 1) AS number
ORDER BY seconds NULLS FIRST, number
