-- Of the codified customers with a moment after their contact: how many there are, and of how many it is that of our
-- own call.
SELECT
    count(*)::integer AS dated,
    count(*) FILTER (
        WHERE exported.dialled_at BETWEEN record.sent_at - %(margin)s AND record.settled_at + %(margin)s
    )::integer AS ours
FROM exported
INNER JOIN wolkvox.codification AS record ON wolkvox.alike(record.customer_id) = exported.alike
WHERE record.operation = %(operation)s
    AND record.type_campaign = %(type_campaign)s
    AND record.campaign_id = %(campaign_id)s
    AND record.state = 'coded'
    AND record.settled_at >= %(since)s
    AND exported.dialled_at > record.contacted_at
