-- Whether another operation with the same token has a new chunk that no task has begun.
SELECT EXISTS(
    SELECT
    FROM wolkvox.chunk AS mine
    INNER JOIN wolkvox.chunk AS theirs
        ON theirs.fingerprint = mine.fingerprint
        AND theirs.operation <> mine.operation
        AND theirs.closed_at IS NULL
        AND theirs.began_at IS NULL
        AND theirs.made_at BETWEEN clock_timestamp() - %(start)s AND clock_timestamp()
    WHERE mine.chunk_id = %(chunk_id)s
)
