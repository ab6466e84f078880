"""Customers as the ledger's records name them: a record's number stands for its customer where an id must not stand."""

from __future__ import annotations

from wolkvox.ledger.connection import Connection


def customer_of(connection: Connection, operation: str, record: int) -> str | None:
    """The customer of a record; None where the operation has no such record, or the record no customer."""
    row = connection.execute(
        "SELECT customer_id FROM wolkvox.codification WHERE id = %s AND operation = %s", (record, operation)
    ).fetchone()
    return None if row is None else row[0]
