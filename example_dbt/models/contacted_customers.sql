-- One row for each contact that reached a customer outside the dialler. The three seeds stand for tables of yours.
-- Your own rules stand here: what counts as reached, which disposition code it has, which campaign dials the customer.
WITH whatsapp AS (
    SELECT
        'predictive' AS type_campaign,
        campaign AS campaign_id,
        phone AS customer_id,
        'WHATSAPP' AS cod_act,
        agent_note AS comment,
        first_reply_at AS contacted_at,
        'whatsapp' AS channel,
        TRUE AS direct
    FROM {{ ref('whatsapp_conversations') }}
    WHERE first_reply_at IS NOT NULL
),

calls AS (
    SELECT
        'predictive' AS type_campaign,
        campaign AS campaign_id,
        phone AS customer_id,
        CASE outcome WHEN 'paid' THEN 'PAID' ELSE 'CALLED' END AS cod_act,
        outcome AS comment,
        ended_at AS contacted_at,
        'call' AS channel,
        TRUE AS direct
    FROM {{ ref('manual_calls') }}
    WHERE outcome <> 'no answer'
),

visits AS (
    SELECT
        'preview' AS type_campaign,
        15503 AS campaign_id,
        customer_phone AS customer_id,
        'VISIT' AS cod_act,
        'came to a branch' AS comment,
        visited_at AS contacted_at,
        'branch' AS channel,
        TRUE AS direct
    FROM {{ ref('branch_visits') }}
),

contacts AS (
    SELECT * FROM whatsapp
    UNION ALL
    SELECT * FROM calls
    UNION ALL
    SELECT * FROM visits
)

SELECT
    type_campaign,
    CAST(campaign_id AS varchar(20)) AS campaign_id,
    CAST(customer_id AS varchar(100)) AS customer_id,
    cod_act,
    CAST(NULL AS varchar(20)) AS cod_act_2,
    comment,
    contacted_at,
    channel,
    direct
FROM contacts
