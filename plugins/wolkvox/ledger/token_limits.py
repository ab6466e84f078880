"""What the connection of each DAG said of its token's requests when the DAG ran last."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.token_limits import TokenLimit

COUNTS_FOR = timedelta(days=31)  # after a DAG's last run


def note_limit(connection: Connection, fingerprint: int, limit: TokenLimit) -> None:
    """Note what a DAG's connection says; nothing where the DAG isn't registered yet."""
    connection.execute(sql("note_limit"), {**asdict(limit), "fingerprint": fingerprint})


def other_limits(connection: Connection, fingerprint: int, limit: TokenLimit) -> list[TokenLimit]:
    """What the connections of other DAGs say that share the token."""
    params = {"fingerprint": fingerprint, "dag_id": limit.dag_id, "counts_for": COUNTS_FOR}
    return [TokenLimit(*row) for row in connection.execute(sql("other_limits"), params)]
