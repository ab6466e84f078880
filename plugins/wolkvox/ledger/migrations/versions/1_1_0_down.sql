UPDATE wolkvox.codification
SET state = 'invalid', reason = 'held_discarded', contact_key = gen_random_uuid()
WHERE state = 'held';
UPDATE wolkvox.span_count SET state = 'invalid' WHERE state = 'held';
UPDATE wolkvox.monthly_total SET state = 'invalid', reason = 'held' WHERE state = 'held';

CREATE OR REPLACE TRIGGER answered AFTER UPDATE ON wolkvox.codification
FOR EACH ROW WHEN (new.state = 'pending' AND old.state <> 'pending') EXECUTE FUNCTION wolkvox.keep_answer();

ALTER TABLE wolkvox.codification DROP CONSTRAINT codification_state_check;
ALTER TABLE wolkvox.codification ADD CONSTRAINT codification_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired')
) NOT VALID;
ALTER TABLE wolkvox.answer DROP CONSTRAINT answer_state_check;
ALTER TABLE wolkvox.answer ADD CONSTRAINT answer_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired')
) NOT VALID;
ALTER TABLE wolkvox.span_count DROP CONSTRAINT span_count_state_check;
ALTER TABLE wolkvox.span_count ADD CONSTRAINT span_count_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired')
) NOT VALID;
ALTER TABLE wolkvox.monthly_total DROP CONSTRAINT monthly_total_state_check;
ALTER TABLE wolkvox.monthly_total ADD CONSTRAINT monthly_total_state_check CHECK (
    state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired')
) NOT VALID;

ALTER TABLE wolkvox.codification DROP COLUMN hold_id;
DROP TABLE wolkvox.hold;
COMMENT ON COLUMN wolkvox.codification.state IS
'pending, sending, coded, rejected, failed, invalid, superseded or expired';
COMMENT ON COLUMN wolkvox.codification.settled_at IS 'when it came into a final state';
