-- No trial before the next campaign list; after that, trials as of any suspended campaign.
INSERT INTO wolkvox.suspended_campaign AS before (operation, type_campaign, campaign_id, reason, message, since, until)
VALUES (
    %(operation)s, %(type_campaign)s, %(campaign_id)s, %(reason)s, %(message)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET
    reason = excluded.reason,
    message = excluded.message,
    until = excluded.until
