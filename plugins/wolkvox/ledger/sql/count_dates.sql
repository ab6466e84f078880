-- Counts the loaded export's dates: of the dialled records, those whose date can't be read or lies in the future; of
-- the codified customers with a date after their contact, those whose date is that of our own request.
SELECT
    dates.dialled,
    dates.unread,
    own.dated,
    own.ours,
    dates.form
FROM (
    SELECT
        count(*) FILTER (WHERE dialled_at IS NOT NULL OR unread_date <> '')::integer AS dialled,
        count(*) FILTER (WHERE dialled_at > %(ahead)s OR unread_date <> '')::integer AS unread,
        coalesce(max(unread_date), '') AS form
    FROM exported
) AS dates,
(
    SELECT
        count(*)::integer AS dated,
        count(*) FILTER (
            WHERE exported.dialled_at BETWEEN recent.sent_at - %(margin)s AND recent.settled_at + %(margin)s
        )::integer AS ours
    FROM exported
    INNER JOIN recent USING (normalised_id)
    WHERE recent.type_campaign = %(type_campaign)s
        AND recent.campaign_id = %(campaign_id)s
        AND recent.state = 'coded'
        AND exported.dialled_at > recent.contacted_at
        AND exported.dialled_at <= %(ahead)s
) AS own
