UPDATE wolkvox.hold
SET decision = 'expired', decided_by = 'guard', decided_at = now()
WHERE decided_at IS NULL
    AND NOT EXISTS (
        SELECT FROM wolkvox.codification AS record
        WHERE record.operation = hold.operation AND record.state = 'held' AND record.hold_id = hold.id
    )
