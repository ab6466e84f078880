"""
What came in and was not compared yet, blocks of calls by name, when the vendor was asked for its figure, and keys
that hold to the second.

Revision ID: 0006
Revises: 0005
"""

from datetime import timezone
from hashlib import blake2b
from typing import Any
from uuid import UUID

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.execute("CREATE TABLE wolkvox.uncompared (operation text NOT NULL, above bigint NOT NULL)")
    op.execute(
        "COMMENT ON TABLE wolkvox.uncompared IS"
        " 'one row per load: contacts with an id above it may be older than others of their customer'"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.reservation (
            name uuid PRIMARY KEY,
            operation text NOT NULL,
            day date NOT NULL,
            calls integer NOT NULL,
            taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE wolkvox.reservation IS"
        " 'blocks of calls, counted in quota, that a task holds, or held when it was killed'"
    )
    op.execute(
        """
        CREATE TABLE wolkvox.changed (
            operation text NOT NULL,
            outdated uuid NOT NULL,
            current uuid NOT NULL,
            PRIMARY KEY (outdated, current)
        )
        """
    )
    op.execute(
        "COMMENT ON TABLE wolkvox.changed IS"
        " 'keys of contacts of one customer, campaign and second: the warehouse gave one code, and later another one'"
    )
    op.execute("ALTER TABLE wolkvox.quota ADD COLUMN asked_at timestamptz")
    op.execute("COMMENT ON COLUMN wolkvox.quota.asked_at IS 'when the vendor gave the figure behind vendor_limit'")
    _shorten_keys()


def _shorten_keys() -> None:
    """Contacts that may be pulled again keep their rows: below the second, a moment is no part of the key any more."""
    connection = op.get_bind()
    rows = connection.execute(
        text(
            "SELECT id, operation, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, contacted_at"
            " FROM wolkvox.codification WHERE state <> 'invalid' AND contacted_at > now() - interval '62 days'"
            " AND date_trunc('second', contacted_at, 'UTC') <> contacted_at ORDER BY id"
        )
    ).fetchall()
    shorten = text(
        "UPDATE wolkvox.codification SET contact_key = :key WHERE id = :id"
        " AND NOT EXISTS (SELECT FROM wolkvox.codification WHERE contact_key = :key)"
    )
    for row in rows:
        connection.execute(shorten, {"id": row.id, "key": _key(row)})


def _key(row: Any) -> UUID:
    """A contact's key as it is from this version on."""
    moment = row.contacted_at.astimezone(timezone.utc).replace(microsecond=0)
    parts = (row.operation, row.type_campaign, row.campaign_id, row.customer_id, row.cod_act, row.cod_act_2)
    told = "".join("-1:" if part is None else f"{len(part)}:{part}" for part in (*parts, moment.isoformat()))
    digest = blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).digest()
    return UUID(bytes=int(moment.timestamp()).to_bytes(4, "big") + digest)


def downgrade() -> None:
    """Drop them: what came before compares everything each time, and counts blocks without names."""
    op.execute("ALTER TABLE wolkvox.quota DROP COLUMN asked_at")
    op.execute("DROP TABLE wolkvox.changed, wolkvox.reservation, wolkvox.uncompared")
