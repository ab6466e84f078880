"""The channels of the latest contacts."""

from __future__ import annotations

from wolkvox.ledger.connection import Connection, sql


def recent_channels(connection: Connection, operation: str) -> list[str | None]:
    """The channels of an operation's latest contacts as the warehouse names them; None: contacts without a channel."""
    return [channel for (channel,) in connection.execute(sql("recent_channels"), {"operation": operation})]
