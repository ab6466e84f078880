"""Old contacts leave the ledger: personal data is kept no longer than it is needed."""

from __future__ import annotations

from datetime import timedelta

from wolkvox.ledger.connection import Connection, sql

ACCOUNTED = timedelta(days=31)  # the members of an older chunk are asked for by nobody
BATCH = 10_000  # records deleted in one transaction: codify tasks beside it never wait long


def forget(connection: Connection, keep: timedelta) -> int:
    """
    Delete settled records that were staged longer than ``keep`` ago, with their history; returns how many.

    A window that is pulled again afterwards stages them anew, but as expired: ``keep`` has to be longer than the
    age from which contacts are no longer sent.
    """
    connection.execute("DELETE FROM wolkvox.chunk WHERE made_at < now() - %s", (ACCOUNTED,))
    connection.execute("DELETE FROM wolkvox.reservation WHERE taken_at < now() - %s", (ACCOUNTED,))
    connection.execute("DELETE FROM wolkvox.run WHERE began_at < now() - %s", (keep,))
    connection.execute(
        "DELETE FROM wolkvox.changed WHERE NOT EXISTS"
        " (SELECT FROM wolkvox.codification WHERE contact_key = changed.current)"
    )
    forgotten = 0
    while True:
        deleted = connection.execute(sql("forget"), {"keep": keep, "batch": BATCH}).rowcount
        forgotten += deleted
        if deleted < BATCH:
            return forgotten
