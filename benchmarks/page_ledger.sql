-- A ledger of so many rows, settled evenly over so many days up to now; 1 in 250 still waits.
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, comment, contacted_at,
    state, attempts, reason, response_code, response_msg, staged_at, sent_at, settled_at, dag_run_id, chunk_id, chunk_number
)
SELECT
    gen_random_uuid(),
    '0041',
    CASE WHEN n %% 3 = 0 THEN 'preview' ELSE 'predictive' END,
    (1000 + n %% 20)::text,
    (57300000000 + n)::text,
    'ACT' || n %% 7,
    'Reached by WhatsApp',
    settled - make_interval(secs => 60 + (n * 7919 %% 7200)),
    state,
    CASE WHEN state IN ('pending', 'invalid') THEN 0 ELSE 1 END,
    CASE state WHEN 'rejected' THEN 'refused_422' WHEN 'failed' THEN 'overloaded_500' WHEN 'invalid' THEN 'customer_id_missing' END,
    CASE state WHEN 'coded' THEN '202' WHEN 'rejected' THEN '422' WHEN 'failed' THEN '500' END,
    CASE state
        WHEN 'coded' THEN 'customer_id ' || (57300000000 + n) || ' has been coded'
        WHEN 'rejected' THEN 'El codAct ACT' || n %% 7 || ' no es valido'
        WHEN 'failed' THEN 'Internal Server Error'
    END,
    settled - interval '1 minute',
    settled - interval '20 milliseconds',
    CASE WHEN state <> 'pending' THEN settled END,
    'scheduled__' || to_char(date_bin('15 minutes', settled, 'epoch'), 'YYYY-MM-DD"T"HH24:MI:SS'),
    'chunk-' || extract(epoch FROM date_bin('15 minutes', settled, 'epoch'))::bigint,
    1
FROM (
    SELECT
        n,
        now() - make_interval(days => %(days)s) * (1 - n / %(rows)s::float) AS settled,
        CASE
            WHEN n > %(rows)s * 0.996 AND n %% 2 = 0 THEN 'pending'
            WHEN n %% 29 = 0 THEN 'rejected'
            WHEN n %% 101 = 0 THEN 'invalid'
            WHEN n %% 997 = 0 THEN 'failed'
            ELSE 'coded'
        END AS state
    FROM generate_series(1, %(rows)s::bigint) AS n
) AS generated
