"""
The audit writes what changed, and finds breaches by their dates.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COMMENTS = {
    "codification.audited_at": "when an audit saw what it shows first",
    "codification.confirmed_at": "when an audit saw our code first, or again after it was not there",
    "codification.audit": "what was there instead: mismatch (another code), missing, open_again (our code, but the"
    " customer will be dialled) or overtaken (an agent has dialled since, or the protection is over)",
    "codification.shown": "code that was there then",
    "worth.dialled_after": "of them dialled after they had been codified, while they were protected",
}
OLD_COMMENTS = {
    "codification.audited_at": "when it was compared with what wolkvox shows, last",
    "codification.confirmed_at": "when wolkvox showed our code last",
    "codification.audit": "what it showed instead: mismatch (another code) or missing",
    "codification.shown": "code that wolkvox showed instead",
    "worth.dialled_after": "of them dialled after they had been codified",
}


def upgrade() -> None:
    """Add an index of breaches, which are few."""
    op.execute("CREATE INDEX dial_breached_at ON wolkvox.dial (dialled_at) WHERE breach IS NOT NULL")
    _comment(COMMENTS)


def downgrade() -> None:
    """Drop it; an older audit knows two findings."""
    op.execute("UPDATE wolkvox.codification SET audit = NULL, shown = NULL WHERE audit IN ('open_again', 'overtaken')")
    op.execute("DROP INDEX wolkvox.dial_breached_at")
    _comment(OLD_COMMENTS)


def _comment(comments: dict[str, str]) -> None:
    for name, comment in comments.items():
        op.execute(f"COMMENT ON COLUMN wolkvox.{name} IS '{comment}'")
