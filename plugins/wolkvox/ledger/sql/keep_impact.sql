-- Writes the days of a campaign that have changed, and deletes those that have no contacts any more.
WITH counted AS (
    SELECT *
    FROM jsonb_to_recordset(%(counted)s) AS day (
        day date,
        coded integer,
        dialled_after integer,
        dialled_before integer,
        calls_prevented double precision,
        minutes integer[]
    )
), gone AS (
    DELETE FROM wolkvox.impact
    WHERE operation = %(operation)s
        AND type_campaign = %(type_campaign)s
        AND campaign_id = %(campaign_id)s
        AND day >= %(since)s
        AND day NOT IN (SELECT day FROM counted)
)
INSERT INTO wolkvox.impact AS kept (
    operation, day, type_campaign, campaign_id, coded, dialled_after, dialled_before, calls_prevented, minutes
)
SELECT
    %(operation)s,
    day,
    %(type_campaign)s,
    %(campaign_id)s,
    coded,
    dialled_after,
    dialled_before,
    calls_prevented,
    minutes
FROM counted
ON CONFLICT (operation, day, type_campaign, campaign_id) DO UPDATE SET
    coded = excluded.coded,
    dialled_after = excluded.dialled_after,
    dialled_before = excluded.dialled_before,
    calls_prevented = excluded.calls_prevented,
    minutes = excluded.minutes,
    counted_at = clock_timestamp()
WHERE (kept.coded, kept.dialled_after, kept.dialled_before, kept.calls_prevented, kept.minutes)
    IS DISTINCT FROM
    (excluded.coded, excluded.dialled_after, excluded.dialled_before, excluded.calls_prevented, excluded.minutes)
