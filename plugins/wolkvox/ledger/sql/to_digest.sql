-- What was settled on a day, as its digest covers it. Dials noted later are not covered.
SELECT
    id,
    customer_id,
    state,
    type_campaign,
    campaign_id,
    cod_act,
    cod_act_2,
    channel,
    contacted_at,
    direct,
    protected_until,
    staged_at,
    reason,
    response_code,
    sent_at,
    attempts,
    settled_at,
    dag_id,
    dag_run_id,
    audited_at,
    confirmed_at,
    audit,
    shown,
    (
        SELECT
            json_agg(
                json_build_array(
                    answer.state,
                    answer.attempts,
                    answer.reason,
                    answer.response_code,
                    extract(epoch FROM answer.sent_at),
                    extract(epoch FROM answer.settled_at)
                )
                ORDER BY answer.replaced_at, answer.attempts, answer.sent_at
            )
        FROM wolkvox.answer
        WHERE answer.codification_id = codification.id
    ) AS answers,
    (
        SELECT
            json_agg(
                json_build_array(extract(epoch FROM dial.dialled_at), dial.breach) ORDER BY dial.dialled_at
            )
        FROM wolkvox.dial
        WHERE dial.codification_id = codification.id AND (dial.noted_at < %(noted_before)s OR dial.noted_at IS NULL)
    ) AS dials
FROM wolkvox.codification
WHERE operation = %(operation)s
    AND settled_at >= %(begins)s
    AND settled_at < %(ends)s
    AND state NOT IN ('pending', 'sending', 'held')
ORDER BY id
