"""
Only coded contacts are found by their customer.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = "(customer_id, campaign_id, type_campaign, operation, contacted_at, id)"


def upgrade() -> None:
    """Keep those out that are still to be sent: they are few, and found by their state."""
    op.execute("DROP INDEX wolkvox.codification_customer")
    op.execute(f"CREATE INDEX codification_customer ON wolkvox.codification {COLUMNS} WHERE state = 'coded'")


def downgrade() -> None:
    """Let them in again."""
    op.execute("DROP INDEX wolkvox.codification_customer")
    op.execute(
        f"CREATE INDEX codification_customer ON wolkvox.codification {COLUMNS}"
        " WHERE state NOT IN ('invalid', 'superseded')"
    )
