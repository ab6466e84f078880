"""
A customer's other contacts are found by the customer first.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LIVE = "WHERE state NOT IN ('invalid', 'superseded')"


def upgrade() -> None:
    """Put what differs first into the index: comparing texts that are all alike took half of its time."""
    op.execute("DROP INDEX wolkvox.codification_customer")
    op.execute(
        "CREATE INDEX codification_customer ON wolkvox.codification"
        f" (customer_id, campaign_id, type_campaign, operation, contacted_at, id) {LIVE}"
    )


def downgrade() -> None:
    """Put the operation first again."""
    op.execute("DROP INDEX wolkvox.codification_customer")
    op.execute(
        "CREATE INDEX codification_customer ON wolkvox.codification"
        f" (operation, campaign_id, customer_id, type_campaign, contacted_at) {LIVE}"
    )
