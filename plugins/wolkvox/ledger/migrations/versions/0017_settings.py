"""
What two operations that share a token say of its limits.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COMMENTS = {
    "dag.fingerprint": "digest of the token that it used last",
    "dag.daily_requests": "requests a day that its connection allows, with the reserve; null: no licences given",
    "dag.quota_reserve": "how many of them are kept back for others",
    "dag.quota_timezone": "zone in which a day of requests ends",
    "dag.staged_at": "when it staged last",
    "look.looked_at": "when it was asked last; in the year 9999: it is never to be asked",
}


def upgrade() -> None:
    """Add columns."""
    op.execute(
        "ALTER TABLE wolkvox.dag"
        " ADD COLUMN fingerprint integer, ADD COLUMN daily_requests integer, ADD COLUMN quota_reserve integer,"
        " ADD COLUMN quota_timezone text, ADD COLUMN staged_at timestamptz"
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{words}'")


def downgrade() -> None:
    """Forget them."""
    op.execute(
        "ALTER TABLE wolkvox.dag"
        " DROP COLUMN fingerprint, DROP COLUMN daily_requests, DROP COLUMN quota_reserve,"
        " DROP COLUMN quota_timezone, DROP COLUMN staged_at"
    )
