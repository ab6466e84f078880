-- A campaign's days, counted anew: those that changed are written, and those without contacts go.
WITH counted AS (
    SELECT *
    FROM jsonb_to_recordset(%(counted)s) AS day (
        day date,
        coded integer,
        dialled_after integer,
        dialled_before integer,
        avoided double precision,
        minutes integer[]
    )
), gone AS (
    DELETE FROM wolkvox.worth
    WHERE operation = %(operation)s
        AND type_campaign = %(type_campaign)s
        AND campaign_id = %(campaign_id)s
        AND day >= %(since)s
        AND day NOT IN (SELECT day FROM counted)
)
INSERT INTO wolkvox.worth AS kept (
    operation, day, type_campaign, campaign_id, coded, dialled_after, dialled_before, avoided, minutes
)
SELECT
    %(operation)s, day, %(type_campaign)s, %(campaign_id)s, coded, dialled_after, dialled_before, avoided, minutes
FROM counted
ON CONFLICT (operation, day, type_campaign, campaign_id) DO UPDATE SET
    coded = excluded.coded,
    dialled_after = excluded.dialled_after,
    dialled_before = excluded.dialled_before,
    avoided = excluded.avoided,
    minutes = excluded.minutes,
    counted_at = clock_timestamp()
WHERE (kept.coded, kept.dialled_after, kept.dialled_before, kept.avoided, kept.minutes)
    IS DISTINCT FROM
    (excluded.coded, excluded.dialled_after, excluded.dialled_before, excluded.avoided, excluded.minutes)
