-- Keeps what another stage counted later, unless that date lies in the future: a clock was ahead then.
UPDATE wolkvox.watch
SET
    staged_at = %(began_at)s,
    since = %(since)s,
    row_count = %(rows)s,
    newest = %(newest)s,
    fruitful = %(fruitful)s
WHERE dag_id = %(dag_id)s
    AND (staged_at IS NULL OR staged_at <= %(began_at)s OR staged_at > clock_timestamp())
