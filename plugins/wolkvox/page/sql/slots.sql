SELECT
    slot.lock_number AS number,
    lock.pid IS NOT NULL AS held,
    slot.dag_id,
    slot.dag_run_id,
    slot.task_id,
    slot.map_index,
    slot.try_number,
    slot.host,
    slot.taken_at
FROM wolkvox.slot AS slot
LEFT JOIN pg_locks AS lock
    ON lock.locktype = 'advisory'
    AND lock.granted
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND lock.classid = (slot.lock_class & 4294967295)::oid
    AND lock.objid = (slot.lock_number & 4294967295)::oid
    AND lock.objsubid = 2
WHERE slot.lock_class = %(fingerprint)s
ORDER BY number
