-- The constraints that were not yet checked on older rows.
SELECT class.relname, rule.conname, pg_get_constraintdef(rule.oid)
FROM pg_constraint AS rule
INNER JOIN pg_class AS class ON class.oid = rule.conrelid
WHERE rule.connamespace = 'wolkvox'::regnamespace AND NOT rule.convalidated
ORDER BY class.relname, rule.conname
