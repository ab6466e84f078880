-- A list with a date in the future was written by a clock that was ahead: it counts as old.
SELECT codes
FROM wolkvox.activity_codes AS list
WHERE list.account = %(account)s
    AND fetched_at BETWEEN clock_timestamp() - %(belief)s AND clock_timestamp()
    AND (
        fetched_at > clock_timestamp() - %(doubt)s
        OR NOT EXISTS (
            SELECT
            FROM wolkvox.codification AS record
            WHERE record.operation = %(operation)s
                AND record.state = 'pending'
                AND record.cod_act <> ALL(list.codes)
        )
    )
