"""
Workers take the newest records themselves; faults are counted by record and campaign.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COMMENTS = {
    "chunk.ids": "the records that were sent as part of it, wherever they are by now; written when its worker ends",
    "chunk.made_at": "when stage made it",
    "chunk.records": "records that its worker may take at most",
    "chunk.only_ids": "the only records that its worker may take; null: whatever waits",
    "chunk.limited": "its worker takes a part of what waits, so that no other run hands records to it",
    "chunk.fingerprint": "of the token that it is sent with",
    "chunk.began_at": "when its worker began to send",
    "chunk.ends_at": "when the time of its worker is over",
    "chunk.closed_at": "when its worker ended: it takes no more records",
    "slot.chunk_id": "the chunk that is sent through it",
    "slot.taken": "records that its owner has taken and not sent yet: the others leave them alone",
    "streak": "records that failed in a row without a success, of a campaign or (both empty) of the whole operation",
    "streak.operation": "whose records",
    "streak.type_campaign": "the campaign's type; empty: all campaigns",
    "streak.campaign_id": "the campaign; empty: all campaigns",
    "streak.refused": "records that wolkvox refused, as many as are needed to tell whose fault it is",
    "streak.failed": "records that got no answer or an error of the host, likewise",
    "streak.refused_since": "when that streak began",
    "streak.failed_since": "when that streak began",
    "dag.quiet_until": "before that, nothing can be sent whatever waits: the day has no requests left",
}


def upgrade() -> None:
    """Add what a worker needs to take records by itself, and keep streaks of records."""
    op.execute(
        """
        ALTER TABLE wolkvox.chunk
            ALTER COLUMN ids SET DEFAULT '{}',
            ADD COLUMN records integer NOT NULL DEFAULT 0,
            ADD COLUMN only_ids bigint[],
            ADD COLUMN limited boolean NOT NULL DEFAULT false,
            ADD COLUMN fingerprint integer,
            ADD COLUMN began_at timestamptz,
            ADD COLUMN ends_at timestamptz,
            ADD COLUMN closed_at timestamptz
        """
    )
    op.execute("UPDATE wolkvox.chunk SET closed_at = made_at")  # what came before deals, and hands nothing over
    op.execute("CREATE INDEX chunk_open ON wolkvox.chunk (operation) WHERE closed_at IS NULL")
    op.execute("ALTER TABLE wolkvox.slot ADD COLUMN chunk_id text, ADD COLUMN taken bigint[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE wolkvox.dag ADD COLUMN quiet_until timestamptz")
    op.execute(
        """
        CREATE VIEW wolkvox.held_slot AS
        SELECT slot.*, lock.pid AS session
        FROM wolkvox.slot
        INNER JOIN pg_locks AS lock
            ON lock.locktype = 'advisory'
            AND lock.granted
            AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND lock.classid = (slot.lock_class & 4294967295)::oid
            AND lock.objid = (slot.lock_number & 4294967295)::oid
            AND lock.objsubid = 2
        """
    )
    op.execute("COMMENT ON VIEW wolkvox.held_slot IS 'slots whose owner lives, and its database session'")
    # By id too: where the warehouse keeps days only, all contacts of a day are of one timestamp.
    op.execute("DROP INDEX wolkvox.codification_waiting")
    op.execute(
        "CREATE INDEX codification_waiting ON wolkvox.codification (operation, contacted_at DESC, id DESC)"
        " INCLUDE (customer_id) WHERE state = 'pending'"
    )
    op.execute("DROP TABLE wolkvox.streak")
    op.execute(
        """
        CREATE TABLE wolkvox.streak (
            operation text NOT NULL,
            type_campaign text NOT NULL,
            campaign_id text NOT NULL,
            refused bigint[] NOT NULL DEFAULT '{}',
            refused_since timestamptz NOT NULL DEFAULT clock_timestamp(),
            failed bigint[] NOT NULL DEFAULT '{}',
            failed_since timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (operation, type_campaign, campaign_id)
        )
        """
    )
    for name, comment in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        quoted = comment.replace("'", "''")
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{quoted}'")


def downgrade() -> None:
    """Drop it; a streak begins again."""
    op.execute("DROP TABLE wolkvox.streak")
    op.execute(
        """
        CREATE TABLE wolkvox.streak (
            operation text NOT NULL,
            type_campaign text NOT NULL,
            campaign_id text NOT NULL,
            refusal text NOT NULL,
            ids bigint[] NOT NULL,
            campaigns text[] NOT NULL,
            since timestamptz NOT NULL,
            PRIMARY KEY (operation, type_campaign, campaign_id)
        )
        """
    )
    op.execute("DROP INDEX wolkvox.codification_waiting")
    op.execute(
        "CREATE INDEX codification_waiting ON wolkvox.codification (operation, contacted_at DESC, customer_id)"
        " WHERE state = 'pending'"
    )
    op.execute("DROP VIEW wolkvox.held_slot")
    op.execute("ALTER TABLE wolkvox.dag DROP COLUMN quiet_until")
    op.execute("ALTER TABLE wolkvox.slot DROP COLUMN chunk_id, DROP COLUMN taken")
    op.execute(
        """
        ALTER TABLE wolkvox.chunk
            ALTER COLUMN ids DROP DEFAULT,
            DROP COLUMN records,
            DROP COLUMN only_ids,
            DROP COLUMN limited,
            DROP COLUMN fingerprint,
            DROP COLUMN began_at,
            DROP COLUMN ends_at,
            DROP COLUMN closed_at
        """
    )
