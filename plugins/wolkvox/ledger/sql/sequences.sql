-- The columns of the ledger that a sequence numbers.
SELECT class.relname, attribute.attname, sequence.relname
FROM pg_class AS class
INNER JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attidentity <> ''
INNER JOIN pg_depend AS depend
    ON depend.refobjid = class.oid
    AND depend.refobjsubid = attribute.attnum
    AND depend.classid = 'pg_class'::regclass
    AND depend.deptype = 'i'
INNER JOIN pg_class AS sequence ON sequence.oid = depend.objid AND sequence.relkind = 'S'
WHERE class.relnamespace = 'wolkvox'::regnamespace
ORDER BY class.relname
