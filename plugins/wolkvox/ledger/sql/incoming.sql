CREATE TEMPORARY TABLE incoming (
    position bigint GENERATED ALWAYS AS IDENTITY,
    contact_key uuid NOT NULL,
    type_campaign text,
    campaign_id text,
    customer_id text,
    cod_act text,
    cod_act_2 text,
    comment text,
    contacted_at timestamptz,
    reason text,
    channel text,
    direct boolean,
    protected_until timestamptz
) ON COMMIT DROP;
CREATE TEMPORARY TABLE seen (contact_key uuid NOT NULL) ON COMMIT DROP
