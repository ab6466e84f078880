"""The ledger of version 1.1.0: records that a guard holds, and why."""

from pathlib import Path

from alembic import op

revision = "1.1.0"
down_revision = "1.0.0"


def upgrade() -> None:
    """Add the state ``held`` and the table of holds."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take both away. Whatever is still held is discarded: version 1.0.0 would send it."""
    op.get_bind().exec_driver_sql(Path(__file__).with_name("1_1_0_down.sql").read_text(encoding="utf-8"))
