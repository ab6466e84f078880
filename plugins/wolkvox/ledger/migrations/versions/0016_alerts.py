"""
Alerts are judged over a window, and count as notified once a notifier has delivered them.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COMMENTS = {
    "alert": "alerts that are firing or resolved lately",
    "alert.operation": "whose alert",
    "alert.dag_id": "DAG that it is of",
    "alert.alert": "its name",
    "alert.message": "what it says, as of seen_at",
    "alert.firing_since": "when it fired",
    "alert.seen_at": "when its cause was there last",
    "alert.resolved_at": "when it resolved; null: it is firing",
    "alert.again": "whether it fired again within a day of being resolved",
    "notification": "what each recipient was told of each alert, last",
    "notification.operation": "as in alert",
    "notification.dag_id": "as in alert",
    "notification.alert": "as in alert",
    "notification.recipient": "e-mail address, or name of the notifier",
    "notification.firing_since": "firing_since of the alert that the recipient was told of",
    "notification.resolved": "whether the recipient was told that it resolved",
    "notification.notified_at": "when the notifier had delivered it",
    "undelivered": "recipients that alerts don't reach at the moment",
    "undelivered.operation": "as in alert",
    "undelivered.dag_id": "as in alert",
    "undelivered.recipient": "as in notification",
    "undelivered.since": "when it was tried in vain first",
    "undelivered.tried_at": "when it was tried last",
    "undelivered.reason": "why it was in vain, last",
}
OLD_COMMENTS = {
    "condition": "what people were told of and is not over",
    "condition.operation": "server of the wolkvox operation",
    "condition.dag_id": "DAG that tells it",
    "condition.condition": "its name",
    "condition.words": "what people were told",
    "condition.since": "when it began",
    "condition.told_at": "when they were told last",
}
RENAMED = {"condition": "alert", "words": "message", "since": "firing_since", "told_at": "seen_at"}


def upgrade() -> None:
    """Give alerts states, each recipient what it was told, and each operation its own part of the settled index."""
    op.execute("ALTER TABLE wolkvox.condition RENAME TO alert")
    op.execute("ALTER INDEX wolkvox.condition_pkey RENAME TO alert_pkey")
    for old, new in RENAMED.items():
        op.execute(f"ALTER TABLE wolkvox.alert RENAME COLUMN {old} TO {new}")
    op.execute(
        "ALTER TABLE wolkvox.alert ADD COLUMN resolved_at timestamptz, ADD COLUMN again boolean NOT NULL DEFAULT false"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.notification (
            operation text NOT NULL,
            dag_id text NOT NULL,
            alert text NOT NULL,
            recipient text NOT NULL,
            firing_since timestamptz NOT NULL,
            resolved boolean NOT NULL,
            notified_at timestamptz NOT NULL,
            PRIMARY KEY (operation, dag_id, alert, recipient),
            FOREIGN KEY (operation, dag_id, alert) REFERENCES wolkvox.alert ON DELETE CASCADE
        )
        """
    )
    op.execute(
        """
        CREATE TABLE wolkvox.undelivered (
            operation text NOT NULL,
            dag_id text NOT NULL,
            recipient text NOT NULL,
            since timestamptz NOT NULL,
            tried_at timestamptz NOT NULL,
            reason text NOT NULL,
            PRIMARY KEY (operation, dag_id, recipient)
        )
        """
    )
    # Everybody who asks for what was settled lately asks for one operation's.
    op.execute("DROP INDEX wolkvox.codification_settled")
    op.execute(
        "CREATE INDEX codification_settled ON wolkvox.codification (operation, settled_at) WHERE settled_at IS NOT NULL"
    )
    _comment(COMMENTS)


def downgrade() -> None:
    """Forget states and recipients; what is firing was told."""
    op.execute("DROP INDEX wolkvox.codification_settled")
    op.execute("CREATE INDEX codification_settled ON wolkvox.codification (settled_at) WHERE settled_at IS NOT NULL")
    op.execute("DROP TABLE wolkvox.undelivered, wolkvox.notification")
    op.execute("DELETE FROM wolkvox.alert WHERE resolved_at IS NOT NULL")
    op.execute("ALTER TABLE wolkvox.alert DROP COLUMN resolved_at, DROP COLUMN again")
    for old, new in RENAMED.items():
        op.execute(f"ALTER TABLE wolkvox.alert RENAME COLUMN {new} TO {old}")
    op.execute("ALTER INDEX wolkvox.alert_pkey RENAME TO condition_pkey")
    op.execute("ALTER TABLE wolkvox.alert RENAME TO condition")
    _comment(OLD_COMMENTS)


def _comment(comments: dict[str, str]) -> None:
    for name, words in comments.items():
        kind = "COLUMN" if "." in name else "TABLE"
        quoted = words.replace("'", "''")
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{quoted}'")
