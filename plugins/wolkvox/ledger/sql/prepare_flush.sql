-- A transaction of its own whose end waits until everything written before is on disk.
PREPARE flush AS
SELECT set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'wolkvox', '')
