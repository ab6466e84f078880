-- The columns of the ledger that have a sequence, and its last number. Leaves out what the login may not read.
SELECT class.relname, attribute.attname, sequence.relname, coalesce(state.last_value, 0)
FROM pg_class AS class
INNER JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attidentity <> ''
INNER JOIN pg_depend AS depend
    ON depend.refobjid = class.oid
    AND depend.refobjsubid = attribute.attnum
    AND depend.classid = 'pg_class'::regclass
    AND depend.deptype = 'i'
INNER JOIN pg_class AS sequence ON sequence.oid = depend.objid AND sequence.relkind = 'S'
INNER JOIN pg_sequences AS state ON state.schemaname = 'wolkvox' AND state.sequencename = sequence.relname
WHERE class.relnamespace = 'wolkvox'::regnamespace AND has_sequence_privilege(sequence.oid, 'USAGE, SELECT')
ORDER BY class.relname
