-- Compares each customer's last code of the campaign, of either type, with what its records in the export show. Writes
-- only what has changed.
WITH of_either_type AS (
    SELECT DISTINCT ON (normalised_id)
        id,
        normalised_id,
        type_campaign,
        wolkvox.normalised_code(cod_act) AS code,
        wolkvox.normalised_code(cod_act_2) AS code_2,
        settled_at,
        protected_until <= %(begun)s AS protection_is_over,
        confirmed_at,
        audit,
        shown
    FROM recent
    WHERE campaign_id = %(campaign_id)s AND state = 'coded' AND settled_at < %(begun)s
    ORDER BY normalised_id, settled_at DESC, id DESC
), latest AS (
    SELECT *
    FROM of_either_type
    WHERE type_campaign = %(type_campaign)s
), records AS (
    SELECT
        normalised_id,
        wolkvox.normalised_code(cod_act) AS code,
        nullif(wolkvox.normalised_code(cod_act_2), '') AS code_2,
        nullif(cod_act, '') AS shown,
        cod_act = '' OR (result = 'CLEAN' AND (calls > 0 OR %(code_changes_result)s)) AS is_open,
        dialled_at
    FROM exported
), compared AS (
    SELECT
        latest.id,
        -- Where the operation has no second codes, none is shown.
        coalesce(
            bool_or(
                records.shown IS NOT NULL
                AND records.code = latest.code
                AND coalesce(records.code_2 = latest.code_2, true)
            ),
            false
        ) AS is_same,
        bool_or(records.is_open) AS is_open,
        bool_or(records.dialled_at > latest.settled_at + %(margin)s) AS was_dialled,
        max(records.shown) AS shown
    FROM latest
    LEFT JOIN records ON records.normalised_id = latest.normalised_id
    GROUP BY latest.id
), judged AS (
    SELECT
        id,
        latest.confirmed_at,
        latest.audit,
        latest.shown AS shown_before,
        compared.shown,
        CASE
            WHEN is_same AND NOT is_open THEN 'confirmed'
            -- Whoever may be dialled again may be recalled, recycled, or given another code.
            WHEN protection_is_over AND (compared.shown IS NOT NULL OR latest.confirmed_at IS NOT NULL) THEN 'overtaken'
            WHEN is_same THEN 'open_again'
            WHEN compared.shown IS NOT NULL AND was_dialled THEN 'overtaken'
            WHEN latest.settled_at >= %(settled_before)s THEN 'too_recent'
            WHEN compared.shown IS NULL THEN 'missing'
            ELSE 'mismatch'
        END AS finding
    FROM compared
    INNER JOIN latest USING (id)
), marked AS (
    UPDATE wolkvox.codification AS record
    SET audited_at = clock_timestamp(),
        confirmed_at = CASE WHEN finding = 'confirmed' THEN clock_timestamp() ELSE record.confirmed_at END,
        audit = nullif(finding, 'confirmed'),
        shown = CASE WHEN finding <> 'confirmed' THEN judged.shown END
    FROM judged
    WHERE record.id = judged.id
        AND record.state = 'coded'
        AND finding <> 'too_recent'
        AND CASE finding
            WHEN 'confirmed' THEN judged.confirmed_at IS NULL OR judged.audit IS NOT NULL
            ELSE (judged.audit, judged.shown_before) IS DISTINCT FROM (finding, judged.shown)
        END
)
SELECT
    count(*) FILTER (WHERE finding = 'confirmed')::integer,
    count(*) FILTER (WHERE finding = 'open_again')::integer,
    count(*) FILTER (WHERE finding = 'overtaken')::integer,
    count(*) FILTER (WHERE finding = 'mismatch')::integer,
    count(*) FILTER (WHERE finding = 'missing')::integer
FROM judged
