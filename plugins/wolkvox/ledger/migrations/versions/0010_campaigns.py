"""
What wolkvox says of its campaigns.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COMMENTS = {
    "campaign": "campaigns of wolkvox, as it listed them last",
    "campaign.operation": "whose campaign",
    "campaign.campaign_id": "its number",
    "campaign.type_campaign": "preview or predictive; null: not told",
    "campaign.name": "what people call it",
    "campaign.status": "started or stopped; null: not told",
    "look": "when wolkvox was asked for its campaigns",
    "look.operation": "by which operation",
    "look.looked_at": "when it was asked last",
    "parked.reason": "of its refusals, or why it can't be right",
    "parked.words": "of its refusals, ids left out, or what wolkvox says of the campaign",
}


def upgrade() -> None:
    """Make two tables."""
    op.execute(
        """
        CREATE TABLE wolkvox.campaign (
            operation text NOT NULL,
            campaign_id text NOT NULL,
            type_campaign text,
            name text,
            status text,
            PRIMARY KEY (operation, campaign_id)
        )
        """
    )
    op.execute(
        "CREATE TABLE wolkvox.look"
        " (operation text PRIMARY KEY, looked_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        quoted = words.replace("'", "''")
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{quoted}'")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE wolkvox.campaign, wolkvox.look")
