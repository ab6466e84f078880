DROP TABLE IF EXISTS exported;
CREATE TEMPORARY TABLE exported (
    customer_id text NOT NULL,
    cod_act text NOT NULL,
    cod_act_2 text NOT NULL,
    dialled_at timestamptz,
    unread_date text NOT NULL,
    is_open boolean NOT NULL,
    result text NOT NULL,
    calls integer NOT NULL,
    normalised_id text GENERATED ALWAYS AS (wolkvox.normalised_id(customer_id)) STORED
)
