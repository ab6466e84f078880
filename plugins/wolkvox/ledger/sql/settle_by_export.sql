-- Compares each waiting contact of a campaign with the exported records of its customer.
WITH compared AS (
    SELECT
        record.id,
        record.customer_id,
        record.cod_act,
        record.contacted_at,
        coalesce(record.reason = 'not_in_campaign', false) AS was_absent,
        coalesce(record.protected_until, record.staged_at + %(compared_again)s) AS looked_for_until,
        count(exported.customer_id) > 0 AS is_there,
        coalesce(
            bool_or(exported.customer_id = record.customer_id)
            AND bool_and(NOT exported.is_open AND exported.cod_act <> ''),
            false
        ) AS is_handled,
        coalesce(bool_and(wolkvox.normalised_code(exported.cod_act) = wolkvox.normalised_code(record.cod_act)), false)
            AS has_that_code,
        coalesce(
            bool_and(
                coalesce(
                    -- Exactly: 5 and 05 may be two codes of an operation; a request decides.
                    exported.cod_act = record.cod_act
                    AND (record.cod_act_2 IS NULL OR exported.cod_act_2 = record.cod_act_2)
                    AND exported.unread_date = ''
                    -- An agent who dialled the customer since may have given that code for another reason, with another
                    -- comment.
                    AND (
                        exported.dialled_at IS NULL
                        OR exported.dialled_at < record.contacted_at - %(margin)s
                        -- The date may be that of our own request, whose answer was lost.
                        OR exported.dialled_at BETWEEN record.sent_at - %(margin)s AND record.sent_at + 2 * %(margin)s
                    ),
                    false
                )
            ),
            false
        ) AS is_coded
    FROM wolkvox.codification AS record
    LEFT JOIN exported ON exported.normalised_id = wolkvox.normalised_id(record.customer_id)
    WHERE record.operation = %(operation)s
        AND record.type_campaign = %(type_campaign)s
        AND record.campaign_id = %(campaign_id)s
        AND record.state = 'pending'
    GROUP BY record.id
), judged AS (
    SELECT
        id,
        looked_for_until,
        was_absent,
        CASE
            WHEN is_handled AND is_coded AND NOT EXISTS (
                -- The code of an earlier contact says nothing of this one.
                SELECT
                FROM wolkvox.codification AS earlier
                WHERE earlier.operation = %(operation)s
                    AND earlier.campaign_id = %(campaign_id)s
                    AND earlier.customer_id = compared.customer_id
                    AND earlier.type_campaign = %(type_campaign)s
                    AND earlier.cod_act = compared.cod_act
                    AND earlier.state = 'coded'
                    AND earlier.chunk_id IS NOT NULL
                    AND (earlier.contacted_at, earlier.id) < (compared.contacted_at, compared.id)
            ) THEN 'already_coded'
            WHEN is_handled AND NOT has_that_code AND %(skip_handled)s THEN 'already_handled'
            WHEN NOT is_there AND CASE WHEN was_absent THEN %(absent_are_known)s ELSE %(strangers_are_known)s END
                THEN 'not_in_campaign'
            WHEN is_there AND was_absent THEN 'there_now'
        END AS finding
    FROM compared
), changed AS (
    SELECT
        id,
        looked_for_until,
        CASE
            WHEN finding = 'already_coded' THEN 'coded'
            WHEN finding = 'there_now' OR (finding = 'not_in_campaign' AND looked_for_until > now()) THEN 'pending'
            ELSE 'rejected'
        END AS state,
        nullif(finding, 'there_now') AS reason
    FROM judged
    WHERE finding IS NOT NULL AND NOT (finding = 'not_in_campaign' AND was_absent AND looked_for_until > now())
), settled AS (
    UPDATE wolkvox.codification AS record
    SET state = changed.state,
        reason = changed.reason,
        not_before = CASE
            WHEN changed.state <> 'pending' THEN record.not_before
            -- The wait between two exports is added: the export after looked_for_until comes before the contact is
            -- sent.
            WHEN changed.reason IS NOT NULL THEN changed.looked_for_until + %(ask_again)s
        END,
        settled_at = CASE WHEN changed.state <> 'pending' THEN now() END,
        dag_id = CASE WHEN changed.state <> 'pending' THEN %(dag_id)s ELSE record.dag_id END,
        dag_run_id = CASE WHEN changed.state <> 'pending' THEN %(dag_run_id)s ELSE record.dag_run_id END,
        chunk_id = CASE WHEN changed.state = 'pending' THEN record.chunk_id END,
        chunk_number = CASE WHEN changed.state = 'pending' THEN record.chunk_number END
    FROM changed
    WHERE record.id = changed.id AND record.state = 'pending'
    RETURNING record.state, record.reason
)
SELECT
    (SELECT count(*) FROM settled WHERE state = 'rejected' AND reason = 'not_in_campaign')::integer,
    (SELECT count(*) FROM settled WHERE reason = 'already_coded')::integer,
    (SELECT count(*) FROM settled WHERE reason = 'already_handled')::integer,
    (
        SELECT count(*)
        FROM judged
        WHERE looked_for_until > now() AND (finding = 'not_in_campaign' OR (finding IS NULL AND was_absent))
    )::integer
