"""Loads the contacts of the last days once, for all campaigns whose exports are compared with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from wolkvox.ledger.connection import Connection, now_of, sql


@contextmanager
def recent_contacts(connection: Connection, operation: str, since: datetime) -> Iterator[datetime]:
    """
    Load the contacts settled since then and those that wait into a temporary table, for a ``with`` block.

    :returns: when they were loaded
    """
    loaded_at = now_of(connection)
    connection.execute(sql("recent"))
    try:
        connection.execute(sql("load_recent"), {"operation": operation, "since": since})
        connection.execute("CREATE INDEX ON recent (campaign_id, normalised_id)")
        connection.execute("ANALYZE recent")
        yield loaded_at
    finally:
        connection.execute("DROP TABLE IF EXISTS recent")
