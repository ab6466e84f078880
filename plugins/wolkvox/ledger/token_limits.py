"""Keeps the request limit that each DAG's connection gave when the DAG last ran."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.token_limits import TokenLimit

COUNTS_FOR = timedelta(days=31)  # after a DAG's last run


def note_limit(connection: Connection, fingerprint: int, limit: TokenLimit) -> None:
    """Note the limit of a DAG's connection; nothing where the DAG isn't registered yet."""
    connection.execute(sql("note_limit"), {**asdict(limit), "fingerprint": fingerprint})


def other_limits(connection: Connection, fingerprint: int, limit: TokenLimit) -> list[TokenLimit]:
    """The limits of other DAGs' connections that share the token."""
    params = {"fingerprint": fingerprint, "dag_id": limit.dag_id, "counts_for": COUNTS_FOR}
    return [TokenLimit(*row) for row in connection.execute(sql("other_limits"), params)]
