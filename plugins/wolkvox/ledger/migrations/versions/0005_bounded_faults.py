"""
Runs are things of their own, a record's calls are bounded, and faults are known to every task.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add runs, chunks, streaks, parked campaigns, outages and conditions; offer again what isn't used up."""
    op.execute("ALTER TABLE wolkvox.codification ADD COLUMN not_before timestamptz, ADD COLUMN dag_id text")
    op.execute(
        "COMMENT ON COLUMN wolkvox.codification.not_before IS 'a pending record that went wrong is not sent before';"
        "COMMENT ON COLUMN wolkvox.codification.dag_id IS 'of dag_run_id; null: from before there were several'"
    )
    op.execute("DROP INDEX wolkvox.codification_waiting")
    op.execute(
        "CREATE INDEX codification_waiting ON wolkvox.codification (operation, contacted_at DESC)"
        " WHERE state = 'pending'"
    )
    # Holds what went wrong and nothing else: a record that goes well costs it nothing.
    op.execute(
        "CREATE INDEX codification_put_off ON wolkvox.codification (operation, sent_at)"
        " WHERE state = 'pending' AND not_before IS NOT NULL"
    )
    # Failed meant "offered by the next run"; now it is final.
    op.execute(
        "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, not_before = now()"
        " WHERE state = 'failed' AND attempts < 8"  # the calls of a life, when this was written
    )
    op.execute(
        """
        CREATE TABLE wolkvox.run (
            operation text NOT NULL,
            dag_id text NOT NULL,
            dag_run_id text NOT NULL,
            window_start timestamptz NOT NULL,
            window_end timestamptz NOT NULL,
            state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'success', 'failed')),
            counts jsonb NOT NULL DEFAULT '{}',
            began_at timestamptz NOT NULL DEFAULT now(),
            ended_at timestamptz,
            PRIMARY KEY (operation, dag_id, dag_run_id)
        )
        """
    )
    op.execute("COMMENT ON TABLE wolkvox.run IS 'one row per run; counts: what its tasks returned, no personal data'")
    op.execute("CREATE INDEX run_began ON wolkvox.run (operation, began_at)")
    op.execute(
        """
        CREATE TABLE wolkvox.chunk (
            chunk_id text PRIMARY KEY,
            operation text NOT NULL,
            dag_id text NOT NULL,
            dag_run_id text NOT NULL,
            number integer NOT NULL,
            ids bigint[] NOT NULL,
            made_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("COMMENT ON COLUMN wolkvox.chunk.ids IS 'the records that were put into it, wherever they are by now'")
    op.execute("CREATE INDEX chunk_made ON wolkvox.chunk (made_at)")
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
    op.execute(
        "COMMENT ON TABLE wolkvox.streak IS"
        " 'refusals in a row without a success, of a campaign or (both empty) of the whole operation'"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.parked (
            operation text NOT NULL,
            type_campaign text NOT NULL,
            campaign_id text NOT NULL,
            reason text NOT NULL,
            words text,
            since timestamptz NOT NULL,
            until timestamptz NOT NULL,
            probes integer NOT NULL DEFAULT 0,
            PRIMARY KEY (operation, type_campaign, campaign_id)
        )
        """
    )
    op.execute("COMMENT ON TABLE wolkvox.parked IS 'campaigns that refused everything: probed when until is over'")
    op.execute(
        """
        CREATE TABLE wolkvox.outage (
            operation text PRIMARY KEY,
            reason text NOT NULL,
            words text NOT NULL,
            fingerprint integer NOT NULL,
            dag_id text NOT NULL,
            dag_run_id text NOT NULL,
            since timestamptz NOT NULL,
            until timestamptz NOT NULL,
            probes integer NOT NULL DEFAULT 0
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE wolkvox.outage IS"
        " 'what keeps an operation from sending anything, the run that met it first, when one call may try again'"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.condition (
            operation text NOT NULL,
            dag_id text NOT NULL,
            condition text NOT NULL,
            words text NOT NULL,
            since timestamptz NOT NULL,
            told_at timestamptz NOT NULL,
            PRIMARY KEY (operation, dag_id, condition)
        )
        """
    )
    op.execute("COMMENT ON TABLE wolkvox.condition IS 'what people were told of and is not over'")


def downgrade() -> None:
    """Drop them; pending and failed are both offered again by what came before."""
    op.execute(
        "DROP TABLE wolkvox.condition, wolkvox.outage, wolkvox.parked, wolkvox.streak, wolkvox.chunk, wolkvox.run"
    )
    op.execute("DROP INDEX wolkvox.codification_waiting")
    op.execute("DROP INDEX wolkvox.codification_put_off")
    op.execute("ALTER TABLE wolkvox.codification DROP COLUMN not_before, DROP COLUMN dag_id")
    op.execute(
        "CREATE INDEX codification_waiting ON wolkvox.codification (operation, contacted_at DESC)"
        " WHERE state IN ('pending', 'failed')"
    )
