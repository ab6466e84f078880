"""
Until when customers must not be dialled, the dials that wolkvox shows all the same, and what codifying was worth.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COMMENTS = {
    "codification.protected_until": "until when the customer must not be dialled, by the rules when it came in",
    "dial": "dials of customers after they were contacted, as exports of wolkvox showed them",
    "dial.codification_id": "the contact",
    "dial.dialled_at": "when the customer was dialled",
    "dial.breach": "why, although the contact protected the customer: lag, late_row, outage, quota, refused, invalid or"
    " vendor (codified, and dialled all the same); null: it did not protect then",
    "worth": "what codifying was worth, as counted from exports",
    "worth.operation": "whose contacts",
    "worth.day": "local day on which they were codified",
    "worth.type_campaign": "as in codification",
    "worth.campaign_id": "as in codification",
    "worth.coded": "contacts",
    "worth.dialled_after": "of them dialled after they had been codified",
    "worth.dialled_before": "of them dialled between contact and codification",
    "worth.avoided": "customers that would have been dialled since, as the others of their campaign were",
    "worth.minutes": "dialled_before by the minutes from contact to dial: below 1, 2, 5, 10, 15, 30, 60, 120, 240, 480,"
    " 1440, and more",
    "worth.counted_at": "when it was counted last",
}


def upgrade() -> None:
    """Make a column and two tables."""
    op.execute("ALTER TABLE wolkvox.codification ADD COLUMN protected_until timestamptz")
    op.execute(
        """
        CREATE TABLE wolkvox.dial (
            codification_id bigint NOT NULL REFERENCES wolkvox.codification ON DELETE CASCADE,
            dialled_at timestamptz NOT NULL,
            breach text,
            PRIMARY KEY (codification_id, dialled_at)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE wolkvox.worth (
            operation text NOT NULL,
            day date NOT NULL,
            type_campaign text NOT NULL,
            campaign_id text NOT NULL,
            coded integer NOT NULL,
            dialled_after integer NOT NULL,
            dialled_before integer NOT NULL,
            avoided double precision NOT NULL,
            minutes integer[] NOT NULL,
            counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (operation, day, type_campaign, campaign_id)
        )
        """
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{words}'")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE wolkvox.worth")
    op.execute("DROP TABLE wolkvox.dial")
    op.execute("ALTER TABLE wolkvox.codification DROP COLUMN protected_until")
