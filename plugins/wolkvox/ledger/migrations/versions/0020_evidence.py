"""
Seals that nobody can make without the secret, what retention deletes as part of their chain, and retention that waits
for no contact.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

COMMENTS = {
    "retention": "by which secret evidence is kept; one row",
    "retention.secret_check": "digest of the secret, by which it is known again; empty: there is one, not seen yet;"
    " null: there is none, or another one may take its place",
    "anonymised": "how far old contacts became anonymous",
    "anonymised.operation": "whose contacts",
    "anonymised.since": "all that was settled before was dealt with",
    "anonymised.left_over": "contacts settled before that are not anonymous yet: their own date lay ahead, or another"
    " session held them locked",
    "seal": "digest of the contacts that were settled on a day (UTC), made when nothing of them changes any more",
    "seal.contents": "SHA-256 over the contacts, their answers and dials, customers anonymous",
    "seal.deleted_before": "contacts that were settled before may be deleted since then",
    "seal.digest": "HMAC-SHA-256 by the secret, over all other columns but sealed_at",
    "dial.noted_at": "when an export showed it; null: before this was kept",
}
OLD_COMMENTS = {
    "retention": "how far old contacts were dealt with; one row",
    "retention.anonymous": "contacts up to this id have an anonymous customer and no words",
    "retention.deleted_before": "contacts that came in before were deleted",
    "seal.digest": "SHA-256 over the digest of the day before and the contacts, customers anonymous",
}


def upgrade() -> None:
    """Begin the seals again: the next night makes those of all days that are there."""
    op.execute("ALTER TABLE wolkvox.retention ADD COLUMN secret_check bytea")
    op.execute(
        "UPDATE wolkvox.retention SET secret_check = '' WHERE anonymous > 0 OR EXISTS (SELECT FROM wolkvox.seal)"
    )
    op.execute("ALTER TABLE wolkvox.retention DROP COLUMN anonymous, DROP COLUMN deleted_before")
    op.execute(
        """
        CREATE TABLE wolkvox.anonymised (
            operation text PRIMARY KEY,
            since timestamptz NOT NULL,
            left_over bigint[] NOT NULL
        )
        """
    )
    op.execute("DELETE FROM wolkvox.seal")
    op.execute(
        "ALTER TABLE wolkvox.seal ADD COLUMN contents bytea NOT NULL, ADD COLUMN deleted_before timestamptz NOT NULL"
    )
    # In two steps: what is there is not rewritten.
    op.execute("ALTER TABLE wolkvox.dial ADD COLUMN noted_at timestamptz")
    op.execute("ALTER TABLE wolkvox.dial ALTER COLUMN noted_at SET DEFAULT clock_timestamp()")
    _tidy_totals()
    _comment(COMMENTS)


def _tidy_totals() -> None:
    """Of deleted contacts whose columns were mixed up, no campaign is kept: it may be a document."""
    op.execute(
        """
        WITH odd AS (
            DELETE FROM wolkvox.total
            WHERE campaign_id IS NOT NULL AND (state = 'invalid' OR (state <> 'coded' AND length(campaign_id) >= 7))
            RETURNING *
        )
        INSERT INTO wolkvox.total AS total (operation, month, type_campaign, campaign_id, state, reason, records)
        SELECT
            operation,
            month,
            CASE WHEN type_campaign IN ('preview', 'predictive') THEN type_campaign END,
            NULL,
            state,
            reason,
            sum(records)
        FROM odd
        GROUP BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (operation, month, type_campaign, campaign_id, state, reason)
            DO UPDATE SET records = total.records + excluded.records
        """
    )


def _comment(comments: dict[str, str]) -> None:
    for name, comment in comments.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{comment}'")


def downgrade() -> None:
    """Begin the seals again, as they were made before."""
    op.execute("ALTER TABLE wolkvox.dial DROP COLUMN noted_at")
    op.execute("DELETE FROM wolkvox.seal")
    op.execute("ALTER TABLE wolkvox.seal DROP COLUMN contents, DROP COLUMN deleted_before")
    op.execute("DROP TABLE wolkvox.anonymised")
    op.execute(
        "ALTER TABLE wolkvox.retention DROP COLUMN secret_check,"
        " ADD COLUMN anonymous bigint NOT NULL DEFAULT 0, ADD COLUMN deleted_before timestamptz"
    )
    _comment(OLD_COMMENTS)
