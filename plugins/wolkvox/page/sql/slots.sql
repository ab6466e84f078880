SELECT
    slot.lock_number AS number,
    held_slot.slot IS NOT NULL AS held,
    slot.dag_id,
    slot.dag_run_id,
    slot.task_id,
    slot.map_index,
    slot.try_number,
    slot.host,
    slot.taken_at
FROM wolkvox.slot
LEFT JOIN wolkvox.held_slot ON held_slot.slot = slot.slot
WHERE slot.lock_class = %(fingerprint)s
ORDER BY number
