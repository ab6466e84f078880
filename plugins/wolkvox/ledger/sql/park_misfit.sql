-- Not tried before the next look: should that fail, it is tried as any parked campaign is.
INSERT INTO wolkvox.parked AS known (operation, type_campaign, campaign_id, reason, words, since, until)
VALUES (
    %(operation)s, %(type_campaign)s, %(campaign_id)s, %(reason)s, %(words)s,
    statement_timestamp(), statement_timestamp() + %(pause)s
)
ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET
    reason = excluded.reason,
    words = excluded.words,
    until = excluded.until
