DROP TABLE IF EXISTS recent;
CREATE TEMPORARY TABLE recent (
    id bigint NOT NULL,
    type_campaign text,
    campaign_id text,
    normalised_id text,
    cod_act text,
    cod_act_2 text,
    state text NOT NULL,
    contacted_at timestamptz,
    sent_at timestamptz,
    settled_at timestamptz,
    protected_until timestamptz,
    confirmed_at timestamptz,
    audit text,
    shown text
)
