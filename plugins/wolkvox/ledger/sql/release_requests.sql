-- Only while the block is there: given back twice, it counts once.
WITH done AS (
    DELETE FROM wolkvox.reservation WHERE name = %(name)s RETURNING requests
)
UPDATE wolkvox.quota
SET requests = greatest(0, quota.requests - least(%(requests)s, done.requests))
FROM done
WHERE quota.account = %(account)s AND quota.day = %(day)s
