-- A transaction whose commit returns when everything written before it is on disk.
PREPARE flush AS
SELECT set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'wolkvox', '')
