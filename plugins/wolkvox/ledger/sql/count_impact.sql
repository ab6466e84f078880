-- The impact of codifying a campaign's customers, by the local day on which each was codified.
-- Calls prevented: the share of the campaign's other customers, open at that time, who were dialled since.
WITH coded AS (
    SELECT
        id,
        contacted_at,
        settled_at,
        (settled_at AT TIME ZONE %(zone)s)::date AS day,
        protected_until,
        normalised_id,
        row_number() OVER (PARTITION BY normalised_id ORDER BY settled_at DESC, id DESC) = 1 AS latest
    FROM recent
    WHERE type_campaign = %(type_campaign)s
        AND campaign_id = %(campaign_id)s
        AND state = 'coded'
        AND settled_at >= %(since)s
        AND settled_at < %(begun)s
), dialled AS (
    SELECT
        coded.id,
        -- A dial after the end of the protection is not one that codifying should have prevented.
        bool_or(
            dial.dialled_at > coded.settled_at
            AND (coded.protected_until IS NULL OR dial.dialled_at < coded.protected_until)
        ) AS after,
        min(dial.dialled_at) FILTER (WHERE dial.dialled_at <= coded.settled_at) AS before
    FROM coded
    INNER JOIN wolkvox.dial ON dial.codification_id = coded.id
    GROUP BY coded.id
), events AS (
    SELECT id, settled_at AS at, 0 AS dialled, 0 AS open
    FROM coded
    WHERE latest
    UNION ALL
    SELECT NULL, coalesce(dialled_at, '-infinity'), (dialled_at IS NOT NULL)::integer, (cod_act = '')::integer
    FROM exported
    WHERE NOT EXISTS (SELECT FROM coded WHERE coded.normalised_id = exported.normalised_id)
), others AS (
    SELECT
        id,
        sum(dialled) OVER since AS dialled,
        sum(open) OVER () - sum(open) OVER since AS left_alone
    FROM events
    WINDOW since AS (ORDER BY at DESC)
)
SELECT
    coded.day,
    count(*)::integer AS coded,
    count(*) FILTER (WHERE dialled.after)::integer AS dialled_after,
    count(dialled.before)::integer AS dialled_before,
    coalesce(
        sum(others.dialled::float / nullif(others.dialled + others.left_alone, 0)) FILTER (
            WHERE dialled.after IS NOT TRUE
        ),
        0
    ) AS calls_prevented,
    array_agg(extract(epoch FROM dialled.before - coded.contacted_at)::float) FILTER (
        WHERE dialled.before IS NOT NULL
    ) AS seconds
FROM coded
LEFT JOIN dialled USING (id)
LEFT JOIN others USING (id)
GROUP BY coded.day
