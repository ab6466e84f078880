-- What came into the ledger lately, and how many records became invalid since. Arrivals are kept by quarters of an
-- hour: the window begins with one, an hour to five quarters ago, or as far back as it takes to find enough records.
WITH quarter AS (
    SELECT
        staged_at AS began_at,
        sum(records) AS records,
        sum(sum(records)) OVER (ORDER BY staged_at DESC) AS records_since
    FROM wolkvox.ingest_count
    WHERE operation = %(operation)s AND staged_at > %(now)s - %(longest)s AND staged_at <= %(now)s
    GROUP BY staged_at
),

judged AS (
    SELECT
        coalesce(
            CASE
                WHEN bool_or(records_since >= %(fewest)s)
                    THEN least(
                        min(began_at) FILTER (WHERE began_at > %(now)s - %(window)s - interval '15 minutes'),
                        max(began_at) FILTER (WHERE records_since >= %(fewest)s)
                    )
                ELSE min(began_at)
            END,
            %(now)s - %(window)s
        ) AS since
    FROM quarter
)

SELECT
    coalesce((SELECT sum(quarter.records) FROM quarter WHERE quarter.began_at >= judged.since), 0)::bigint AS total,
    (
        SELECT count(*)
        FROM wolkvox.codification
        WHERE operation = %(operation)s
            AND state = 'invalid'
            AND reason IS DISTINCT FROM 'held_discarded' -- by a person who knows
            AND settled_at >= judged.since
            AND settled_at <= %(now)s
    ) AS invalid,
    judged.since
FROM judged
