"""
Kept for years: what was made anonymous, what was deleted and how much it was, and seals that show that nothing is gone.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COMMENTS = {
    "retention": "how far old contacts were dealt with; one row",
    "retention.single": "true",
    "retention.anonymous": "contacts up to this id have an anonymous customer and no words",
    "retention.deleted_before": "contacts that came in before were deleted",
    "total": "contacts that were deleted, by the month in which they were settled (UTC)",
    "total.operation": "whose contacts",
    "total.month": "its first day",
    "total.type_campaign": "as in codification",
    "total.campaign_id": "as in codification",
    "total.state": "as in codification",
    "total.reason": "as in codification",
    "total.records": "how many",
    "seal": "digest of the contacts that were settled on a day (UTC), made when nothing of them changes any more",
    "seal.operation": "whose contacts",
    "seal.day": "the day",
    "seal.records": "contacts that it covers",
    "seal.digest": "SHA-256 over the digest of the day before and the contacts, customers anonymous",
    "seal.previous": "digest of the day before; null: it is the first one",
    "seal.sealed_at": "when it was made",
}


def upgrade() -> None:
    """Make three tables."""
    op.execute(
        """
        CREATE TABLE wolkvox.retention (
            single boolean PRIMARY KEY DEFAULT true CHECK (single),
            anonymous bigint NOT NULL DEFAULT 0,
            deleted_before timestamptz
        )
        """
    )
    op.execute("INSERT INTO wolkvox.retention DEFAULT VALUES")
    op.execute(
        """
        CREATE TABLE wolkvox.total (
            operation text NOT NULL,
            month date NOT NULL,
            type_campaign text,
            campaign_id text,
            state text NOT NULL,
            reason text,
            records bigint NOT NULL,
            UNIQUE NULLS NOT DISTINCT (operation, month, type_campaign, campaign_id, state, reason)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE wolkvox.seal (
            operation text NOT NULL,
            day date NOT NULL,
            records bigint NOT NULL,
            digest bytea NOT NULL,
            previous bytea,
            sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (operation, day)
        )
        """
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{words}'")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE wolkvox.seal, wolkvox.total, wolkvox.retention")
