"""
What came in and was not compared yet, blocks of calls by name, and when the vendor was asked for its figure.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.execute("CREATE TABLE wolkvox.uncompared (operation text NOT NULL, above bigint NOT NULL)")
    op.execute(
        "COMMENT ON TABLE wolkvox.uncompared IS"
        " 'one row per load: contacts with an id above it may be older than others of their customer'"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.reservation (
            name uuid PRIMARY KEY,
            operation text NOT NULL,
            day date NOT NULL,
            calls integer NOT NULL,
            taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE wolkvox.reservation IS"
        " 'blocks of calls, counted in quota, that a task holds, or held when it was killed'"
    )
    op.execute("ALTER TABLE wolkvox.quota ADD COLUMN asked_at timestamptz")
    op.execute("COMMENT ON COLUMN wolkvox.quota.asked_at IS 'when the vendor gave the figure behind vendor_limit'")


def downgrade() -> None:
    """Drop them: what came before compares everything each time, and counts blocks without names."""
    op.execute("ALTER TABLE wolkvox.quota DROP COLUMN asked_at")
    op.execute("DROP TABLE wolkvox.reservation, wolkvox.uncompared")
