"""Old contacts: anonymous after a while, gone after years. Personal data is kept no longer than it is needed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from wolkvox.ledger.connection import Connection, clock, sql
from wolkvox.rules.anonymity import anonymous, anonymous_key

ACCOUNTED = timedelta(days=31)  # the members of an older chunk are asked for by nobody
# What is usual at an hour is told by the last arrival before this hour of the last four weeks; the page shows a month.
ARRIVALS_KEPT = timedelta(days=62)
BATCH = 10_000  # records of one transaction: codify tasks beside it never wait long


def tidy(connection: Connection, keep: timedelta) -> None:
    """Delete what nobody asks for any more, beside the contacts; days and runs are kept as long as these."""
    ages = {"accounted": ACCOUNTED, "arrivals": ARRIVALS_KEPT, "keep": keep}
    for condition in (
        "chunk WHERE made_at < now() - %(accounted)s",
        "reservation WHERE taken_at < now() - %(accounted)s",
        "export WHERE asked_at < now() - %(accounted)s",
        "streak WHERE greatest(refused_since, failed_since) < now() - %(accounted)s",
        "alert WHERE seen_at < now() - %(accounted)s",
        "undelivered WHERE tried_at < now() - %(accounted)s",
        "intake WHERE staged_at < now() - %(arrivals)s",
        "run WHERE began_at < now() - %(keep)s",
        "quota WHERE day < now() - %(keep)s",
        "worth WHERE day < now() - %(keep)s",
        "changed WHERE NOT EXISTS (SELECT FROM wolkvox.codification WHERE contact_key = changed.current)",
    ):
        connection.execute(f"DELETE FROM wolkvox.{condition}".encode(), ages)  # noqa: S608 - our own words


def anonymise(connection: Connection, secret: str, after: timedelta) -> int:
    """
    Make the customers of settled contacts anonymous that came in so long ago, and empty comments and wolkvox's words.

    Whoever knows a customer's id and the secret still finds the contacts; returns how many it were. One that still
    waits holds up the later ones: old contacts don't wait, they expire.
    """
    before, done = clock(connection) - after, 0
    while True:
        with connection.transaction():
            due = _due(connection, before)
            if due:
                ids = [one.id for one in due]
                facts = {
                    "ids": ids,
                    "customers": [one.customer_id and anonymous(secret, one.operation, one.customer_id) for one in due],
                    "keys": [anonymous_key(secret, one.contact_key) for one in due],
                }
                connection.execute(sql("anonymise"), facts)
                connection.execute(
                    "UPDATE wolkvox.answer SET response_msg = NULL WHERE codification_id = ANY(%s)", (ids,)
                )
                connection.execute("UPDATE wolkvox.retention SET anonymous = %s", (ids[-1],))
        done += len(due)
        if len(due) < BATCH:
            return done


class _Due(NamedTuple):
    id: int
    operation: str
    customer_id: str | None
    contact_key: UUID


def _due(connection: Connection, before: datetime) -> list[_Due]:
    """The next contacts to be made anonymous, up to the first one that is not."""
    found = []
    for *one, is_due in connection.execute(sql("to_anonymise"), {"before": before, "batch": BATCH}):
        if not is_due:
            break
        found.append(_Due(*one))
    return found


def forget(connection: Connection, keep: timedelta) -> int:
    """
    Delete settled contacts that came in longer than ``keep`` ago, with their history; returns how many.

    Their numbers stay. A window that is pulled again afterwards stages them anew, but as expired: ``keep`` has to be
    longer than the age from which contacts are no longer sent.
    """
    before, forgotten = clock(connection) - keep, 0
    # Noted first: were it killed on the way, what it had deleted would seem to be missing.
    connection.execute("UPDATE wolkvox.retention SET deleted_before = greatest(deleted_before, %s)", (before,))
    after, more = 0, True
    while more:
        row = connection.execute(sql("forget"), {"before": before, "after": after, "batch": BATCH}).fetchone()
        assert row is not None
        deleted, after, more = row
        forgotten += deleted
    return forgotten
