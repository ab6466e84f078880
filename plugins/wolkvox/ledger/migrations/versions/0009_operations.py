"""
Several operations on one ledger: which DAG is whose, under which name a token's calls are counted,
and how far results are written elsewhere.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ACCOUNT = "under which calls are counted: the server of the operation that used the token first"
COMMENTS = {
    "dag": "DAGs that stage contacts, and the operation each is of",
    "dag.dag_id": "the DAG",
    "dag.operation": "name under which its contacts are kept",
    "dag.wolkvox_conn_id": "connection to wolkvox",
    "dag.begun_at": "when it was first seen like this",
    "token": "tokens that were used, each by a digest: operations that share one share its calls",
    "token.fingerprint": "digest of the token",
    "token.account": ACCOUNT,
    "written": "tables elsewhere that say what became of contacts, and how far each is",
    "written.operation": "whose contacts",
    "written.place": "connection and name of the table",
    "written.above": "contacts with a higher id were not written yet",
    "written.since": "what was settled before was written",
    "quota.operation": ACCOUNT,
    "reservation.operation": ACCOUNT,
}


def upgrade() -> None:
    """Make three tables."""
    op.execute(
        """
        CREATE TABLE wolkvox.dag (
            dag_id text PRIMARY KEY,
            operation text NOT NULL,
            wolkvox_conn_id text NOT NULL,
            begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """
    )
    op.execute("CREATE TABLE wolkvox.token (fingerprint integer PRIMARY KEY, account text NOT NULL)")
    op.execute(
        """
        CREATE TABLE wolkvox.written (
            operation text NOT NULL,
            place text NOT NULL,
            above bigint NOT NULL,
            since timestamptz NOT NULL,
            PRIMARY KEY (operation, place)
        )
        """
    )
    for name, words in COMMENTS.items():
        kind = "COLUMN" if "." in name else "TABLE"
        op.execute(f"COMMENT ON {kind} wolkvox.{name} IS '{words}'")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE wolkvox.token, wolkvox.dag, wolkvox.written")
