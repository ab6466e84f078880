"""
What came in and was not compared with its customer's other contacts yet.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the marks of loads whose contacts nobody compared yet."""
    op.execute("CREATE TABLE wolkvox.uncompared (operation text NOT NULL, above bigint NOT NULL)")
    op.execute(
        "COMMENT ON TABLE wolkvox.uncompared IS"
        " 'one row per load: contacts with an id above it may be older than others of their customer'"
    )


def downgrade() -> None:
    """Drop them: what came before compares everything each time."""
    op.execute("DROP TABLE wolkvox.uncompared")
