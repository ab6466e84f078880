-- Not tried before the next look: should that fail, it is tried as any suspended_campaign campaign is.
INSERT INTO wolkvox.suspended_campaign AS known (operation, type_campaign, campaign_id, reason, message, since, until)
VALUES (
    %(operation)s, %(type_campaign)s, %(campaign_id)s, %(reason)s, %(message)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET
    reason = excluded.reason,
    message = excluded.message,
    until = excluded.until
