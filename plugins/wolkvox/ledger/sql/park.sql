INSERT INTO wolkvox.parked (operation, type_campaign, campaign_id, reason, words, since, until)
VALUES (
    %(operation)s, %(type_campaign)s, %(campaign_id)s, %(reason)s, %(words)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation, type_campaign, campaign_id) DO NOTHING
