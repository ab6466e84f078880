"""
Every table has a key, every column its bounds, and every list of the page its index.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

STATES = "'pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired'"
SETTLED = "WHERE state NOT IN ('pending', 'sending')"
TYPES = "'preview', 'predictive'"
COUNTED = "settled_at, state, reason, operation, type_campaign, campaign_id, contacted_at, response_msg"
MARKED = "WHEN (OLD.settled_at > now() - interval '32 days' OR NEW.settled_at < now() - interval '1 minute')"

# Tables whose rows have nothing of their own that is unique and never empty.
KEYED = ("answer", "intake", "span_count", "total", "uncompared")
COUNTS = (
    "dialled_after >= 0 AND dialled_before >= 0 AND avoided >= 0 AND cardinality(minutes) = 12"
    " AND array_position(minutes, NULL) IS NULL AND 0 <= ALL (minutes)"
)
# By name, the table being the part before the first underscore: what a row must be like.
CHECKS = {
    "codification_settled_at": "(state IN ('pending', 'sending')) = (settled_at IS NULL)",
    "codification_type": f"state = 'invalid' OR type_campaign IN ({TYPES})",
    "codification_audit": "audit IN ('mismatch', 'missing', 'overtaken', 'open_again')",
    "codification_attempts": "attempts >= 0",
    "answer_state": f"state IN ({STATES})",
    "answer_attempts": "attempts >= 0",
    "span_count_state": f"state IN ({STATES})",
    "span_count_records": "records >= 0",
    "total_state": f"state IN ({STATES})",
    "total_records": "records >= 0",
    "intake_records": "records >= 0",
    "dial_breach": "breach IN ('lag', 'late_row', 'outage', 'quota', 'refused', 'invalid', 'vendor')",
    "campaign_status": "status IN ('started', 'stopped')",
    "campaign_type": f"type_campaign IN ({TYPES})",
    "parked_type": f"type_campaign IN ({TYPES})",
    "parked_probes": "probes >= 0",
    "outage_probes": "probes >= 0",
    "streak_type": f"type_campaign IN ('', {TYPES})",
    "quota_calls": "calls >= 0",
    "reservation_calls": "calls > 0",
    "worth_type": f"type_campaign IN ({TYPES})",
    "worth_counts": f"coded >= 0 AND {COUNTS}",
    "seal_records": "records >= 0",
    "chunk_records": "records >= 0",
    "watch_counts": "row_count >= 0 AND event_repeats >= 0 AND wake_seconds > 0",
}

TRIGGERS = {
    "inserted": "adds the records to wolkvox.intake, and to wolkvox.restated where they come in settled",
    "answered": "keeps the last answer in wolkvox.answer when a record is offered again",
    "restated": "marks the hour that a record was settled in as changed, in wolkvox.restated",
    "deleted": "marks the hour that a record was settled in as changed, in wolkvox.restated",
}


def table_of(check: str) -> str:
    """The table that a check is of."""
    return "span_count" if check.startswith("span_count_") else check.partition("_")[0]


def upgrade() -> None:
    """Add keys, checks and indexes; fire the trigger of counted hours only for what is counted."""
    for table in KEYED:
        op.execute(f"ALTER TABLE wolkvox.{table} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        op.execute(f"COMMENT ON COLUMN wolkvox.{table}.id IS 'tells rows apart that are alike'")
    op.execute("DROP TRIGGER restated ON wolkvox.codification")
    op.execute(
        f"CREATE TRIGGER restated AFTER UPDATE OF {COUNTED} ON wolkvox.codification FOR EACH ROW {MARKED}"
        " EXECUTE FUNCTION wolkvox.restate()"
    )
    for name, comment in TRIGGERS.items():
        op.execute(f"COMMENT ON TRIGGER {name} ON wolkvox.codification IS '{comment}'")
    _mend()
    # Not valid: nobody waits while the rows that are there are read. `migrate` validates once this is committed.
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE wolkvox.{table_of(name)} ADD CONSTRAINT {name}_check CHECK ({condition}) NOT VALID")
    # Deferred: a run that is only tried has chunks for a moment, and no row.
    op.execute(
        "ALTER TABLE wolkvox.chunk ADD CONSTRAINT chunk_run FOREIGN KEY (operation, dag_id, dag_run_id)"
        " REFERENCES wolkvox.run ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID"
    )
    op.execute("CREATE INDEX chunk_of_run ON wolkvox.chunk (operation, dag_id, dag_run_id)")
    # Of a state, of a campaign's state, of a reason: each list of the page is the end of one of them.
    op.execute("DROP INDEX wolkvox.codification_refused")
    listed = "least(contacted_at, staged_at), id"
    for name, columns, of in (
        ("state", "operation, state", SETTLED),
        ("campaign", "operation, campaign_id, state", SETTLED),
        ("reason", "operation, reason, state", f"{SETTLED} AND reason IS NOT NULL"),
    ):
        op.execute(f"CREATE INDEX codification_{name} ON wolkvox.codification ({columns}, {listed}) {of}")
    op.execute("CREATE INDEX dial_breach ON wolkvox.dial (breach) WHERE breach IS NOT NULL")
    op.execute("CREATE INDEX run_running ON wolkvox.run (operation) WHERE state = 'running'")


def _mend() -> None:
    """What somebody changed by hand, and runs of which nothing but chunks is left."""
    op.execute(
        "UPDATE wolkvox.codification SET settled_at = NULL"
        " WHERE state IN ('pending', 'sending') AND settled_at IS NOT NULL"
    )
    op.execute(
        "UPDATE wolkvox.codification SET settled_at = coalesce(sent_at, staged_at)"
        " WHERE state NOT IN ('pending', 'sending') AND settled_at IS NULL"
    )
    op.execute(
        "DELETE FROM wolkvox.chunk WHERE NOT EXISTS (SELECT FROM wolkvox.run WHERE (run.operation, run.dag_id,"
        " run.dag_run_id) = (chunk.operation, chunk.dag_id, chunk.dag_run_id))"
    )


def downgrade() -> None:
    """Take them off; what was mended stays."""
    op.execute("DROP INDEX wolkvox.run_running, wolkvox.dial_breach, wolkvox.chunk_of_run")
    op.execute("DROP INDEX wolkvox.codification_state, wolkvox.codification_campaign, wolkvox.codification_reason")
    op.execute(
        "CREATE INDEX codification_refused ON wolkvox.codification (reason, id)"
        " WHERE state IN ('rejected', 'failed', 'invalid')"
    )
    op.execute("ALTER TABLE wolkvox.chunk DROP CONSTRAINT chunk_run")
    for name in CHECKS:
        op.execute(f"ALTER TABLE wolkvox.{table_of(name)} DROP CONSTRAINT {name}_check")
    op.execute("DROP TRIGGER restated ON wolkvox.codification")
    op.execute(
        f"CREATE TRIGGER restated AFTER UPDATE ON wolkvox.codification FOR EACH ROW {MARKED}"
        " EXECUTE FUNCTION wolkvox.restate()"
    )
    for table in KEYED:
        op.execute(f"ALTER TABLE wolkvox.{table} DROP COLUMN id")
