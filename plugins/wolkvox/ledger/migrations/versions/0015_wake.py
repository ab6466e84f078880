"""
When somebody last looked for work, what was seen, and what began each run.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COMMENTS = {
    "run.began_by": "event, schedule, person or other; null: from before the ledger knew",
    "watch": "when the runs of a DAG begin, and what its trigger polls; one row a DAG",
    "watch.dag_id": "the DAG",
    "watch.cron": "runs come at these dates in any case; null: they do not",
    "watch.timezone": "on whose clock",
    "watch.wake_seconds": "seconds between two polls for work; null: no trigger polls",
    "watch.stage_began_at": "when the last stage began, of runs that pull the usual window",
    "watch.staged_at": "when the last one that finished counted the window, just before its pull",
    "watch.since": "from where it counted; null: there is no count",
    "watch.row_count": "rows that the query gave",
    "watch.newest": "the newest contacted_at of them",
    "watch.fruitful": "whether that stage brought records in or took some up",
    "watch.polled_at": "when a poll last worked, noted once a minute",
    "watch.event_at": "when the trigger last said that there is work",
    "watch.event_saw": "what it saw then",
    "watch.event_repeats": "events in a row, up to that one, that brought nothing",
}


def upgrade() -> None:
    """Make the table, and the run's column."""
    op.execute(
        "ALTER TABLE wolkvox.run ADD COLUMN began_by text CHECK (began_by IN ('event', 'schedule', 'person', 'other'))"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.watch (
            dag_id text PRIMARY KEY,
            cron text,
            timezone text,
            wake_seconds double precision,
            stage_began_at timestamptz,
            staged_at timestamptz,
            since timestamptz,
            row_count bigint,
            newest text,
            fruitful boolean NOT NULL DEFAULT false,
            polled_at timestamptz,
            event_at timestamptz,
            event_saw text,
            event_repeats integer NOT NULL DEFAULT 0
        )
        """
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{words}'")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE wolkvox.watch")
    op.execute("ALTER TABLE wolkvox.run DROP COLUMN began_by")
