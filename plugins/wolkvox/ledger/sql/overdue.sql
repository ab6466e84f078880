-- How many records are too old to be sent and not settled. A record whose request may still be in flight is not one.
SELECT
    (
        SELECT count(*)
        FROM wolkvox.codification
        WHERE state = 'pending' AND least(contacted_at, staged_at) < now() - %(expire_after)s
    )
    + (
        SELECT count(*)
        FROM (SELECT DISTINCT operation FROM wolkvox.hold WHERE decided_at IS NULL) AS hold
        INNER JOIN wolkvox.codification AS record
            ON record.operation = hold.operation
            AND record.state = 'held'
            AND least(record.contacted_at, record.staged_at) < now() - %(expire_after)s
    )
    + (
        SELECT count(*)
        FROM wolkvox.codification
        WHERE state = 'sending'
            AND least(contacted_at, staged_at) < now() - %(expire_after)s
            AND (sent_at > now() - interval '1 day' AND sent_at <= now()) IS NOT TRUE
    )
