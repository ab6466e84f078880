"""
The ledger: one row per contact, the day's calls, who holds which slot.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATES = "'pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired'"


def upgrade() -> None:
    """Create the tables of schema ``wolkvox``."""
    # contact_key is a digest of the contact's identity, so that it is unique whatever is null, empty or long.
    # slot is the "fingerprint/number" of the slot that sent the record last. Without the fillfactor, new rows would
    # go one by one into what little room the pages of a large ledger have left, each touching a page of its own.
    op.execute(
        f"""
        CREATE TABLE wolkvox.codification (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            contact_key uuid NOT NULL,
            operation text NOT NULL,
            type_campaign text,
            campaign_id text,
            customer_id text,
            cod_act text,
            cod_act_2 text,
            comment text,
            contacted_at timestamptz,
            state text NOT NULL DEFAULT 'pending' CHECK (state IN ({STATES})),
            attempts integer NOT NULL DEFAULT 0,
            reason text,
            response_code text,
            response_msg text,
            staged_at timestamptz NOT NULL DEFAULT now(),
            sent_at timestamptz,
            settled_at timestamptz,
            dag_run_id text,
            chunk_id text,
            slot text,
            CONSTRAINT codification_contact_key UNIQUE (contact_key)
        ) WITH (fillfactor = 85)
        """
    )
    op.execute(
        "CREATE INDEX codification_customer ON wolkvox.codification"
        " (operation, campaign_id, customer_id, type_campaign, contacted_at)"
        " WHERE state NOT IN ('invalid', 'superseded')"
    )
    op.execute(
        "CREATE INDEX codification_waiting ON wolkvox.codification"
        " (operation, contacted_at DESC) WHERE state IN ('pending', 'failed')"
    )
    op.execute("CREATE INDEX codification_sending ON wolkvox.codification (slot) WHERE state = 'sending'")
    op.execute("CREATE INDEX codification_staged ON wolkvox.codification USING brin (staged_at)")
    op.execute("CREATE INDEX codification_run ON wolkvox.codification (dag_run_id, chunk_id)")
    op.execute(
        """
        CREATE TABLE wolkvox.answer (
            codification_id bigint NOT NULL REFERENCES wolkvox.codification ON DELETE CASCADE,
            state text NOT NULL,
            attempts integer NOT NULL,
            reason text,
            response_code text,
            response_msg text,
            settled_at timestamptz,
            replaced_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("COMMENT ON TABLE wolkvox.answer IS 'what was answered before a record was offered again'")
    op.execute("CREATE INDEX answer_codification ON wolkvox.answer (codification_id)")
    op.execute(
        """
        CREATE TABLE wolkvox.quota (
            operation text NOT NULL,
            day date NOT NULL,
            vendor_limit integer,
            call_limit integer,
            calls integer NOT NULL DEFAULT 0,
            exhausted_at timestamptz,
            PRIMARY KEY (operation, day)
        )
        """
    )
    op.execute(
        "COMMENT ON COLUMN wolkvox.quota.calls IS 'calls made or reserved by a running task that day';"
        "COMMENT ON COLUMN wolkvox.quota.call_limit IS 'calls allowed that day; null: not known'"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.activity_codes (
            operation text PRIMARY KEY,
            codes text[] NOT NULL,
            fetched_at timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE wolkvox.slot (
            slot text PRIMARY KEY,
            operation text NOT NULL,
            lock_class integer NOT NULL,
            lock_number integer NOT NULL,
            dag_id text,
            dag_run_id text,
            task_id text,
            map_index integer,
            try_number integer,
            host text NOT NULL,
            pid integer NOT NULL,
            taken_at timestamptz NOT NULL,
            busy_until timestamptz
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE wolkvox.slot IS"
        " 'who took a slot last; it is held now if pg_locks has the advisory lock (lock_class, lock_number)'"
    )


def downgrade() -> None:
    """Drop the ledger with all its rows."""
    op.execute("DROP SCHEMA wolkvox CASCADE")
