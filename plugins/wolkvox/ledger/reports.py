"""What the ledger says of a chunk, a run and an operation: figures for XCom and logs, no personal data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from wolkvox.ledger.connection import Connection, sql

# Seconds a call takes before the first one was made. Too fast a guess costs nothing: what a run's time doesn't reach
# waits for the next one. Too slow a guess would leave the slots idle.
GUESSED_CALL = 0.02


@dataclass(slots=True)
class Tally:
    """
    Records by state.

    ``unknown`` counts those whose last call nobody saw the answer of, ``resent`` those sent more than once.
    """

    states: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    resent: int = 0

    @property
    def total(self) -> int:
        """All records."""
        return sum(self.states.values())


def tally(connection: Connection, dag_run_id: str, chunk_id: str) -> Tally:
    """Count the records that are in a chunk now."""
    result = Tally()
    for state, records, unknown, resent in connection.execute(
        sql("tally"), {"dag_run_id": dag_run_id, "chunk_id": chunk_id}
    ):
        result.states[state] = records
        result.unknown += unknown
        result.resent += resent
    return result


@dataclass(frozen=True, slots=True)
class Backlog:
    """Records still to be sent, and when the customer of the oldest one was contacted."""

    waiting: int
    oldest: datetime | None


def backlog(connection: Connection, operation: str) -> Backlog:
    """What an operation has still to send."""
    row = connection.execute(
        "SELECT count(*), min(contacted_at) FROM wolkvox.codification WHERE operation = %s AND state = 'pending'",
        (operation,),
    ).fetchone()
    assert row is not None
    return Backlog(*row)


def waiting_since(connection: Connection, operation: str, moment: datetime) -> int:
    """How many contacts of before this moment an operation has still to send."""
    row = connection.execute(
        "SELECT count(*) FROM wolkvox.codification WHERE operation = %s AND state = 'pending' AND contacted_at < %s",
        (operation, moment),
    ).fetchone()
    return row[0] if row else 0


def anything_waits(connection: Connection, operation: str) -> bool:
    """Whether an operation has anything to send, now or later."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM wolkvox.codification WHERE operation = %s AND state = 'pending')", (operation,)
    ).fetchone()
    return bool(row and row[0])


def seconds_per_call(connection: Connection, operation: str) -> float | None:
    """Median seconds a call took lately; None when there was none."""
    row = connection.execute(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - sent_at))::float"
        " FROM (SELECT settled_at, sent_at FROM wolkvox.codification"
        " WHERE operation = %s AND state = 'coded' AND settled_at IS NOT NULL"
        " ORDER BY settled_at DESC LIMIT 1000) AS recent",
        (operation,),
    ).fetchone()
    return None if row is None or row[0] is None else float(row[0])
