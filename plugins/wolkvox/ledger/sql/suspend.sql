INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, message, since, until)
VALUES (
    %(operation)s, %(type_campaign)s, %(campaign_id)s, %(reason)s, %(message)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation, type_campaign, campaign_id) DO NOTHING
