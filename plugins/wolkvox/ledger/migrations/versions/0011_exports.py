"""
What wolkvox has, compared with what we sent.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COMMENTS = {
    "export": "campaigns whose export was asked for",
    "export.operation": "by which operation",
    "export.campaign_id": "which campaign",
    "export.asked_at": "when it was asked for last",
    "codification.audited_at": "when it was compared with what wolkvox shows, last",
    "codification.confirmed_at": "when wolkvox showed our code last",
    "codification.audit": "what it showed instead: mismatch (another code) or missing",
    "codification.shown": "code that wolkvox showed instead",
}


def upgrade() -> None:
    """Make a table and four columns."""
    op.execute(
        """
        CREATE TABLE wolkvox.export (
            operation text NOT NULL,
            campaign_id text NOT NULL,
            asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (operation, campaign_id)
        )
        """
    )
    op.execute(
        "ALTER TABLE wolkvox.codification"
        " ADD COLUMN audited_at timestamptz, ADD COLUMN confirmed_at timestamptz,"
        " ADD COLUMN audit text, ADD COLUMN shown text"
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{words}'")


def downgrade() -> None:
    """Forget them."""
    op.execute(
        "ALTER TABLE wolkvox.codification"
        " DROP COLUMN audited_at, DROP COLUMN confirmed_at, DROP COLUMN audit, DROP COLUMN shown"
    )
    op.execute("DROP TABLE wolkvox.export")
