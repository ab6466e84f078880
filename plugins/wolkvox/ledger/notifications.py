"""Notes the notifications of each recipient, and recipients that can't be reached. Times are the ledger's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock
from wolkvox.rules.firing import Due, Notified, Undelivered

LOCK_WAIT = "60s"  # for a callback that is delivering; the next run delivers the rest
LONGEST_REASON = 200  # characters


def begin_delivery(connection: Connection, operation: str, dag_id: str) -> bool:
    """
    Lock the delivery of a DAG's alerts for this session, until it is closed; False when another one keeps the lock.

    A second callback waits for the first one, and then reads what that one delivered.
    """
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
            key = (Lock.DELIVERY.value, f"{operation} {dag_id}")
            connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", key)
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def notified(connection: Connection, operation: str, dag_id: str, recipient: str) -> dict[str, Notified]:
    """A recipient's last notification of each alert, by the alert's name."""
    rows = connection.execute(
        "SELECT alert, firing_since, resolved, notified_at FROM wolkvox.notification"
        " WHERE operation = %s AND dag_id = %s AND recipient = %s",
        (operation, dag_id, recipient),
    )
    return {name: Notified(*row) for name, *row in rows}


def mark_notified(
    connection: Connection, operation: str, dag_id: str, recipient: str, dues: Sequence[Due], now: datetime
) -> None:
    """Note that a recipient was notified of alerts, in their states when the message was written."""
    whose = {"operation": operation, "dag_id": dag_id, "recipient": recipient, "now": now}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            sql("mark_notified"),
            [
                {
                    **whose,
                    "alert": alert.name,
                    "firing_since": alert.firing_since,
                    "resolved": alert.resolved_at is not None,
                }
                for _, alert in dues
            ],
        )
        cursor.execute(
            "DELETE FROM wolkvox.undelivered WHERE operation = %s AND dag_id = %s AND recipient = %s",
            (operation, dag_id, recipient),
        )


def mark_undelivered(
    connection: Connection, operation: str, dag_id: str, recipient: str, reason: str, now: datetime
) -> None:
    """Note that a recipient can't be reached; ``since`` keeps its first value."""
    connection.execute(
        "INSERT INTO wolkvox.undelivered (operation, dag_id, recipient, since, tried_at, reason)"
        " VALUES (%(operation)s, %(dag_id)s, %(recipient)s, %(now)s, %(now)s, %(reason)s)"
        " ON CONFLICT (operation, dag_id, recipient) DO UPDATE SET"
        " tried_at = excluded.tried_at, reason = excluded.reason",
        {
            "operation": operation,
            "dag_id": dag_id,
            "recipient": recipient,
            "now": now,
            "reason": reason[:LONGEST_REASON],
        },
    )


def undelivered(connection: Connection, operation: str, dag_id: str) -> dict[str, Undelivered]:
    """The recipients that a DAG's alerts don't reach, by name; the one since the earliest time first."""
    rows = connection.execute(
        "SELECT recipient, since, tried_at, reason FROM wolkvox.undelivered"
        " WHERE operation = %s AND dag_id = %s ORDER BY since, recipient",
        (operation, dag_id),
    )
    return {row[0]: Undelivered(*row) for row in rows}


def keep_recipients(connection: Connection, operation: str, dag_id: str, recipients: Sequence[str]) -> None:
    """Delete the notes of those who are no longer recipients."""
    for table in ("notification", "undelivered"):
        connection.execute(
            f"DELETE FROM wolkvox.{table} WHERE operation = %s AND dag_id = %s AND recipient <> ALL(%s)".encode(),  # noqa: S608 - our own names
            (operation, dag_id, list(recipients)),
        )
