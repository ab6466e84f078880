"""Figures of a chunk and an operation for XCom and logs, without personal data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from wolkvox.ledger.connection import Connection, sql

GUESSED_REQUEST = 0.02  # seconds a request takes, shown before the first one was made
LATELY = 50  # requests whose median time is the estimate for the next ones


@dataclass(slots=True)
class Tally:
    """
    Records by state.

    ``unknown``: records whose last request has no known answer. ``resent``: records sent more than once.
    ``campaigns``: how many they are of.
    """

    states: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    resent: int = 0
    campaigns: int = 0

    @property
    def total(self) -> int:
        """The number of all records."""
        return sum(self.states.values())


def tally(connection: Connection, dag_run_id: str, chunk_id: str) -> Tally:
    """Count the records that are in a chunk now."""
    values = {"dag_run_id": dag_run_id, "chunk_id": chunk_id}
    row = connection.execute(
        "SELECT count(DISTINCT (type_campaign, campaign_id)) FROM wolkvox.codification"
        " WHERE dag_run_id = %(dag_run_id)s AND chunk_id = %(chunk_id)s",
        values,
    ).fetchone()
    result = Tally(campaigns=row[0] if row else 0)
    for state, records, unknown, resent in connection.execute(sql("tally"), values):
        result.states[state] = records
        result.unknown += unknown
        result.resent += resent
    return result


@dataclass(frozen=True, slots=True)
class Backlog:
    """
    Records still to be sent, and when the customer of the oldest one was contacted.

    ``absent``: records not counted in ``waiting``, whose customers aren't in the campaign, so that nobody dials them.
    """

    waiting: int
    oldest: datetime | None
    absent: int = 0


def backlog(connection: Connection, operation: str) -> Backlog:
    """What an operation has still to send."""
    row = connection.execute(sql("backlog"), {"operation": operation}).fetchone()
    assert row is not None
    return Backlog(*row)


def waiting_since(connection: Connection, operation: str, before: datetime) -> int:
    """How many contacts made before this time an operation has still to send, absent customers left out."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM wolkvox.codification"
        " WHERE operation = %(operation)s AND state = 'pending' AND contacted_at < %(before)s)"
        " - (SELECT count(*) FROM wolkvox.codification"
        " WHERE operation = %(operation)s AND state = 'pending' AND contacted_at < %(before)s"
        " AND not_before IS NOT NULL AND reason = 'not_in_campaign')",
        {"operation": operation, "before": before},
    ).fetchone()
    return row[0] if row else 0


def anything_waits(connection: Connection, operation: str) -> bool:
    """Whether an operation has anything to send, now or later."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM wolkvox.codification WHERE operation = %s AND state = 'pending')", (operation,)
    ).fetchone()
    return bool(row and row[0])


def seconds_per_request(connection: Connection, operation: str) -> float | None:
    """Median seconds of the last requests; None before the first one. Shown only: nothing is decided by it."""
    # Coded records with a chunk were settled by a request; exports may have settled the others.
    row = connection.execute(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - sent_at))::float"
        " FROM (SELECT settled_at, sent_at, chunk_id FROM wolkvox.codification"
        " WHERE operation = %s AND state = 'coded' AND settled_at IS NOT NULL"
        " ORDER BY settled_at DESC LIMIT %s) AS recent WHERE chunk_id IS NOT NULL",
        (operation, LATELY),
    ).fetchone()
    return None if row is None or row[0] is None else float(row[0])
