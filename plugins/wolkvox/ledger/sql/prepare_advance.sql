-- Settles record $1 as state $2, reason $3, code $4, message $5, less $6 attempts; it isn't offered again for $11
-- seconds, if that is not null. Marks record $7 as being sent in slot $9 as part of chunk $8, number $14 of run $13 of
-- DAG $12. $10 are the slots in which either may be marked already. Counts 1 row when record $7 may be sent. Both rows
-- are found by their id: coalesce keeps the planner off the indexes of records being sent, in which every record leaves
-- a dead entry that each next request would have to pass while an old snapshot is open somewhere.
PREPARE advance (bigint, text, text, text, text, integer, bigint, text, text, text[], float, text, text, integer) AS
WITH settled AS (
    UPDATE wolkvox.codification
    SET state = $2,
        reason = $3,
        response_code = $4,
        response_msg = $5,
        attempts = attempts - $6,
        settled_at = CASE WHEN $2 <> 'pending' THEN clock_timestamp() END,
        not_before = CASE
            WHEN $11 IS NULL THEN not_before
            ELSE clock_timestamp() + $11 * interval '1 second'
        END
    WHERE id = $1 AND coalesce(state, '') = 'sending' AND slot = ANY($10)
)
UPDATE wolkvox.codification
SET state = 'sending',
    sent_at = clock_timestamp(),
    attempts = CASE state WHEN 'pending' THEN attempts + 1 ELSE attempts END,
    slot = $9,
    dag_id = $12,
    dag_run_id = $13,
    chunk_id = $8,
    chunk_number = $14
WHERE id = $7
    AND (coalesce(state, '') = 'pending' OR (coalesce(state, '') = 'sending' AND slot = ANY($10)))
