-- Only while the block is known: said twice, it counts once.
WITH done AS (
    DELETE FROM wolkvox.reservation WHERE name = %(name)s RETURNING calls
)
UPDATE wolkvox.quota
SET calls = greatest(0, quota.calls - least(%(calls)s, done.calls))
FROM done
WHERE quota.operation = %(operation)s AND quota.day = %(day)s
