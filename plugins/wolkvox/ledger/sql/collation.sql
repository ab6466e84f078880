-- The database, if its texts are in another order by now than when its indexes were made.
SELECT datname, datcollversion, pg_database_collation_actual_version(oid)
FROM pg_database
WHERE datname = current_database()
    AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
    AND datcollversion IS NOT NULL
