CREATE TABLE IF NOT EXISTS contacted_customers (
    type_campaign text,
    campaign_id text,
    customer_id text,
    cod_act text,
    cod_act_2 text,
    comment text,
    contacted_at timestamptz
);

CREATE INDEX IF NOT EXISTS contacted_customers_contacted_at ON contacted_customers (contacted_at);
