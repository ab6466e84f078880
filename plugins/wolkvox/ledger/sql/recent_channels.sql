-- The channels of an operation's contacts among the latest 50,000 of the ledger, the most frequent first; null: no
-- channel.
SELECT channel
FROM wolkvox.codification
WHERE id > (SELECT max(id) FROM wolkvox.codification) - 50000
    AND operation = %(operation)s
    AND state <> 'invalid'
GROUP BY channel
ORDER BY count(*) DESC, channel
