"""
What the page in Airflow reads: figures counted once, and where to find the rest quickly.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the counted spans, their invalidation, and two indexes that cost the codify loop next to nothing."""
    op.execute("ALTER TABLE wolkvox.codification ADD COLUMN chunk_number integer")
    op.execute(
        "COMMENT ON COLUMN wolkvox.codification.chunk_number IS"
        " 'counts from 1 within the run: the map index of the task, plus 1'"
    )
    # A settled record adds one entry at the right end of the first one; only a refused one adds to the second.
    op.execute("CREATE INDEX codification_settled ON wolkvox.codification (settled_at) WHERE settled_at IS NOT NULL")
    op.execute(
        "CREATE INDEX codification_refused ON wolkvox.codification (reason, id)"
        " WHERE state IN ('rejected', 'failed', 'invalid')"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.intake (
            operation text NOT NULL,
            staged_at timestamptz NOT NULL,
            records integer NOT NULL
        )
        """
    )
    op.execute("COMMENT ON TABLE wolkvox.intake IS 'records that a run added: tells the backlog of the past'")
    op.execute("CREATE INDEX intake_staged ON wolkvox.intake (operation, staged_at)")
    op.execute(
        "INSERT INTO wolkvox.intake SELECT operation, date_bin('15 minutes', staged_at, 'epoch'), count(*)"
        " FROM wolkvox.codification GROUP BY 1, 2"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.span (
            operation text NOT NULL,
            starts_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL,
            lag_p50 double precision,
            lag_p95 double precision,
            PRIMARY KEY (operation, starts_at, ends_at)
        )
        """
    )
    op.execute("COMMENT ON TABLE wolkvox.span IS 'past hours and days that were counted; lags in seconds'")
    op.execute(
        """
        CREATE TABLE wolkvox.span_count (
            operation text NOT NULL,
            starts_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL,
            type_campaign text,
            campaign_id text,
            state text NOT NULL,
            reason text,
            words text,
            records bigint NOT NULL,
            last_at timestamptz NOT NULL,
            FOREIGN KEY (operation, starts_at, ends_at) REFERENCES wolkvox.span ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX span_count_span ON wolkvox.span_count (operation, starts_at, ends_at)")
    # A record that leaves the hour it was settled in makes that hour's figures stale. One mark per hour and
    # transaction: a mark of another transaction may be worked off before this one is seen.
    op.execute(
        """
        CREATE TABLE wolkvox.restated (
            hour timestamptz NOT NULL,
            transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
            PRIMARY KEY (hour, transaction)
        )
        """
    )
    op.execute(
        """
        CREATE FUNCTION wolkvox.restate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO wolkvox.restated (hour)
            SELECT date_bin('1 hour', settled_at, 'epoch')
            FROM unnest(ARRAY[OLD.settled_at, CASE WHEN TG_OP = 'UPDATE' THEN NEW.settled_at END]) AS settled_at
            WHERE settled_at IS NOT NULL
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END
        $$
        """
    )
    # The codify loop settles records that were not settled, now: it never fires these. Older spans are never shown.
    op.execute(
        "CREATE TRIGGER restated AFTER UPDATE ON wolkvox.codification FOR EACH ROW"
        " WHEN (OLD.settled_at > now() - interval '32 days' OR NEW.settled_at < now() - interval '1 minute')"
        " EXECUTE FUNCTION wolkvox.restate()"
    )
    op.execute(
        "CREATE TRIGGER deleted AFTER DELETE ON wolkvox.codification FOR EACH ROW"
        " WHEN (OLD.settled_at > now() - interval '32 days') EXECUTE FUNCTION wolkvox.restate()"
    )
    # Once for each statement: a run inserts its contacts with one.
    op.execute(
        """
        CREATE FUNCTION wolkvox.take_in() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO wolkvox.intake
            SELECT operation, date_bin('15 minutes', staged_at, 'epoch'), count(*) FROM inserted GROUP BY 1, 2;
            INSERT INTO wolkvox.restated (hour)
            SELECT DISTINCT date_bin('1 hour', settled_at, 'epoch') FROM inserted
            WHERE settled_at < now() - interval '1 minute'
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER inserted AFTER INSERT ON wolkvox.codification REFERENCING NEW TABLE AS inserted"
        " FOR EACH STATEMENT EXECUTE FUNCTION wolkvox.take_in()"
    )


def downgrade() -> None:
    """Drop what ``upgrade`` added."""
    op.execute("DROP TRIGGER inserted ON wolkvox.codification")
    op.execute("DROP FUNCTION wolkvox.take_in()")
    op.execute("DROP TRIGGER deleted ON wolkvox.codification")
    op.execute("DROP TRIGGER restated ON wolkvox.codification")
    op.execute("DROP FUNCTION wolkvox.restate()")
    op.execute("DROP TABLE wolkvox.restated, wolkvox.span_count, wolkvox.span, wolkvox.intake")
    op.execute("DROP INDEX wolkvox.codification_refused, wolkvox.codification_settled")
    op.execute("ALTER TABLE wolkvox.codification DROP COLUMN chunk_number")
