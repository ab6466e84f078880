"""The ledger of version 1.0.0: all of it, in 1_0_0.sql. Each later change is a migration of its own, up and down."""

from pathlib import Path

from alembic import op

revision = "1.0.0"
down_revision = None


def upgrade() -> None:
    """Make the ledger."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop all that the ledger consists of; the schema stays."""
    tables = op.get_bind().exec_driver_sql(
        "SELECT string_agg(format('%%I.%%I', schemaname, tablename), ', ') FROM pg_tables"
        " WHERE schemaname = 'wolkvox' AND tablename <> 'migration'"
    )
    op.execute(f"DROP TABLE {tables.scalar()} CASCADE")
    for function in ("normalised_id", "normalised_code", "keep_answer", "mark_dirty_hour", "count_ingested"):
        op.execute(f"DROP FUNCTION wolkvox.{function}")
