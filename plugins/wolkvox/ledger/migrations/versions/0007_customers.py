"""
One customer's contacts are found at once, with the channel they were reached on and every call's answer.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CODED = "(customer_id, campaign_id, type_campaign, operation, contacted_at, id) WHERE state"
WAITING, PENDING = "(operation, contacted_at DESC", "WHERE state = 'pending'"


def upgrade() -> None:
    """Add two columns, keep the answer of every call that isn't a record's last one, and index customers."""
    op.execute("ALTER TABLE wolkvox.codification ADD COLUMN channel text, ADD COLUMN direct boolean")
    op.execute(
        "COMMENT ON COLUMN wolkvox.codification.channel IS 'where the customer was reached, as the warehouse says';"
        "COMMENT ON COLUMN wolkvox.codification.direct IS 'whether both sides spoke; null: the warehouse does not say'"
    )
    op.execute("ALTER TABLE wolkvox.answer ADD COLUMN sent_at timestamptz")
    op.execute(
        "COMMENT ON TABLE wolkvox.answer IS"
        " 'calls of a record before its last one: what was answered, when (settled_at), and the call (sent_at)'"
    )
    # Fires for a call that leaves its record pending, and for a settled record that is offered again: a record that
    # goes well costs it the comparison of two words.
    op.execute(
        """
        CREATE FUNCTION wolkvox.keep_answer() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state = 'sending' THEN
                INSERT INTO wolkvox.answer (
                    codification_id, state, attempts, reason, response_code, response_msg, settled_at, sent_at
                ) VALUES (
                    NEW.id, NEW.state, NEW.attempts, NEW.reason, NEW.response_code, NEW.response_msg,
                    clock_timestamp(), OLD.sent_at
                );
            ELSE
                INSERT INTO wolkvox.answer (
                    codification_id, state, attempts, reason, response_code, response_msg, settled_at, sent_at
                ) VALUES (
                    OLD.id, OLD.state, OLD.attempts, OLD.reason, OLD.response_code, OLD.response_msg,
                    OLD.settled_at, OLD.sent_at
                );
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER answered AFTER UPDATE ON wolkvox.codification FOR EACH ROW"
        " WHEN (NEW.state = 'pending' AND OLD.state <> 'pending') EXECUTE FUNCTION wolkvox.keep_answer()"
    )
    # An index of everybody by customer would cost staging a tenth of its time. What waits is found in the index of what
    # waits, which is read whole for it: a tenth of a second for a million.
    op.execute("DROP INDEX wolkvox.codification_customer, wolkvox.codification_waiting")
    op.execute(f"CREATE INDEX codification_customer ON wolkvox.codification {CODED} NOT IN ('pending', 'sending')")
    op.execute(f"CREATE INDEX codification_waiting ON wolkvox.codification {WAITING}, customer_id) {PENDING}")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP INDEX wolkvox.codification_customer, wolkvox.codification_waiting")
    op.execute(f"CREATE INDEX codification_customer ON wolkvox.codification {CODED} = 'coded'")
    op.execute(f"CREATE INDEX codification_waiting ON wolkvox.codification {WAITING}) {PENDING}")
    op.execute("DROP TRIGGER answered ON wolkvox.codification")
    op.execute("DROP FUNCTION wolkvox.keep_answer()")
    op.execute("ALTER TABLE wolkvox.answer DROP COLUMN sent_at")
    op.execute("ALTER TABLE wolkvox.codification DROP COLUMN channel, DROP COLUMN direct")
