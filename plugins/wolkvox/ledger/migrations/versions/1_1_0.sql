-- A record may be held before its first request. The new rules are not yet held against the rows that are there: that
-- is done afterwards, while everybody works.

CREATE TABLE wolkvox.hold (
    id bigint GENERATED ALWAYS AS IDENTITY,
    operation text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    why jsonb NOT NULL,
    records integer NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text,
    decision text,
    note text,
    PRIMARY KEY (id),
    CONSTRAINT hold_decided_check CHECK (
        (decided_at IS NULL) = (decision IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)
    ),
    CONSTRAINT hold_decision_check CHECK (decision IN ('released', 'discarded', 'expired')),
    CONSTRAINT hold_records_check CHECK (records >= 0)
);
CREATE INDEX hold_held ON wolkvox.hold (operation, held_at);
COMMENT ON TABLE wolkvox.hold IS 'what was held before its first request because a run brought what is unusual';
COMMENT ON COLUMN wolkvox.hold.id IS 'its number, by which it is released or discarded';
COMMENT ON COLUMN wolkvox.hold.operation IS 'whose records';
COMMENT ON COLUMN wolkvox.hold.dag_id IS 'DAG of the run that brought them';
COMMENT ON COLUMN wolkvox.hold.dag_run_id IS 'run that brought them';
COMMENT ON COLUMN wolkvox.hold.why IS
'a list: name of each rule, campaigns that it holds, figures it went by; no personal data';
COMMENT ON COLUMN wolkvox.hold.records IS 'how many records were held';
COMMENT ON COLUMN wolkvox.hold.held_at IS 'when';
COMMENT ON COLUMN wolkvox.hold.decided_at IS 'when it was decided; null: its records are still held';
COMMENT ON COLUMN wolkvox.hold.decided_by IS 'who decided; guard: hold_hours were over';
COMMENT ON COLUMN wolkvox.hold.decision IS
'released (its records wait to be sent), discarded (they are invalid) or expired (nobody decided in time)';
COMMENT ON COLUMN wolkvox.hold.note IS 'what whoever decided had to say';

ALTER TABLE wolkvox.codification ADD COLUMN hold_id bigint;
COMMENT ON COLUMN wolkvox.codification.hold_id IS 'the hold that it was held by, last';
COMMENT ON COLUMN wolkvox.codification.state IS
'pending, sending, coded, rejected, failed, invalid, superseded, expired or held';
COMMENT ON COLUMN wolkvox.codification.settled_at IS 'when it came into a final state, or was held';

ALTER TABLE wolkvox.codification DROP CONSTRAINT codification_state_check;
ALTER TABLE wolkvox.codification ADD CONSTRAINT codification_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
) NOT VALID;
ALTER TABLE wolkvox.answer DROP CONSTRAINT answer_state_check;
ALTER TABLE wolkvox.answer ADD CONSTRAINT answer_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
) NOT VALID;
ALTER TABLE wolkvox.span_count DROP CONSTRAINT span_count_state_check;
ALTER TABLE wolkvox.span_count ADD CONSTRAINT span_count_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
) NOT VALID;
ALTER TABLE wolkvox.monthly_total DROP CONSTRAINT monthly_total_state_check;
ALTER TABLE wolkvox.monthly_total ADD CONSTRAINT monthly_total_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
) NOT VALID;

-- A record that was held has had no request, so there is no answer to keep when it is released.
CREATE OR REPLACE TRIGGER answered AFTER UPDATE ON wolkvox.codification
FOR EACH ROW WHEN (new.state = 'pending' AND old.state NOT IN ('pending', 'held'))
EXECUTE FUNCTION wolkvox.keep_answer();
