"""Keeps the last list of disposition codes of wolkvox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from wolkvox.ledger.connection import Connection, sql

BELIEF = timedelta(hours=24)  # how long a list counts
DOUBT = timedelta(hours=1)  # the same while a contact waits whose code isn't in it


def kept_codes(connection: Connection, account: str, operation: str) -> frozenset[str] | None:
    """The codes of the kept list; None: ask wolkvox before a contact becomes invalid for its code."""
    params = {"account": account, "operation": operation, "belief": BELIEF, "doubt": DOUBT}
    row = connection.execute(sql("kept_codes"), params).fetchone()
    return None if row is None else frozenset(row[0])


def keep_codes(connection: Connection, account: str, codes: Iterable[str]) -> None:
    """Keep a new list."""
    connection.execute(
        "INSERT INTO wolkvox.activity_codes (account, codes, fetched_at) VALUES (%s, %s, clock_timestamp())"
        " ON CONFLICT (account) DO UPDATE SET codes = excluded.codes, fetched_at = excluded.fetched_at",
        (account, sorted(codes)),
    )
