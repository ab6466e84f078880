"""The workers of an operation: how many are under way, and how many more the waiting records need."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.rules.chunks import MAX_CHUNK, SLOTS, allotments
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Run

START = timedelta(minutes=5)  # after which a chunk without a worker counts as lost
ENOUGH = timedelta(seconds=30)  # of a worker's time that must be left to hand records to it
_QUIET = timedelta(hours=1)  # the most that quiet_until may lie ahead: more was written by a clock that was ahead


def in_turn(connection: Connection, operation: str) -> None:
    """Hold the operation's hand-over lock up to the end of the transaction."""
    lock_until_commit(connection, Lock.HAND_OVER, operation)


def under_way(connection: Connection, operation: str, start: timedelta = START) -> int:
    """
    How many workers take what waits, or are about to start.

    :param start: how long a chunk that no task has begun yet counts as a worker
    """
    values = {"operation": operation, "start": start, "enough": ENOUGH}
    row = connection.execute(sql("workers_under_way"), values).fetchone()
    return row[0] if row else 0


def sendable(connection: Connection, operation: str, most: int | None = None) -> tuple[int, int]:
    """
    How many records may be sent now, and of how many campaigns; trials of suspended campaigns are counted too.

    :param most: records to count at most
    """
    longest = timedelta(seconds=RetryPolicy().longest_suspension)
    row = connection.execute(sql("sendable"), {"operation": operation, "most": most, "longest": longest}).fetchone()
    assert row is not None
    return row[0], row[1]


def chunks_wanted(connection: Connection, operation: str) -> int:
    """How many chunks a stage would make now; 0 when nothing can be sent or enough workers are under way."""
    if _is_quiet(connection, operation):
        return 0
    records, _ = sendable(connection, operation, SLOTS * MAX_CHUNK)
    records += _left_behind(connection, operation)
    workers = under_way(connection, operation) if records else 0
    return len(allotments(records, workers, is_trial=_is_away(connection, operation)))


def _is_quiet(connection: Connection, operation: str) -> bool:
    """Whether the circuit breaker is open and no trial is due, or the day has no requests left."""
    row = connection.execute(
        """
        SELECT
            EXISTS (
                SELECT FROM wolkvox.circuit_breaker
                WHERE operation = %(operation)s
                    AND until > clock_timestamp()
                    AND until <= clock_timestamp() + %(longest)s
            )
            OR EXISTS (
                SELECT FROM wolkvox.dag
                WHERE operation = %(operation)s
                    AND quiet_until > clock_timestamp()
                    AND quiet_until <= clock_timestamp() + %(quiet)s
            )
        """,
        {"operation": operation, "longest": timedelta(seconds=RetryPolicy().longest_breaker_delay), "quiet": _QUIET},
    ).fetchone()
    return bool(row and row[0])


def _is_away(connection: Connection, operation: str) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM wolkvox.circuit_breaker WHERE operation = %s)", (operation,)
    ).fetchone()
    return bool(row and row[0])


def _left_behind(connection: Connection, operation: str) -> int:
    """How many records dead tasks were sending: a stage puts them back to pending."""
    row = connection.execute(
        "SELECT count(*)::integer FROM wolkvox.codification WHERE operation = %s AND state = 'sending'"
        " AND slot <> ALL(ARRAY(SELECT slot FROM wolkvox.held_slot))",
        (operation,),
    ).fetchone()
    return row[0] if row else 0


def passed_over(connection: Connection, run: Run) -> int:
    """How many records a run could have sent and did not, at most 10,000; 0 while workers are under way."""
    if under_way(connection, run.operation):
        return 0
    row = connection.execute(sql("passed_over"), asdict(run)).fetchone()
    return row[0] if row else 0


def others_wait(connection: Connection, chunk_id: str) -> bool:
    """Whether a chunk of another operation with the same token waits for a slot."""
    row = connection.execute(sql("others_wait"), {"chunk_id": chunk_id, "start": START}).fetchone()
    return bool(row and row[0])


def keep_quiet(connection: Connection, dag_id: str, seconds: float) -> None:
    """Note for how many seconds nothing can be sent; 0: records can be sent."""
    connection.execute(
        "UPDATE wolkvox.dag SET quiet_until = CASE WHEN %(seconds)s > 0 THEN"
        " clock_timestamp() + least(%(seconds)s * interval '1 second', %(quiet)s) END"
        " WHERE dag_id = %(dag_id)s AND (quiet_until IS NOT NULL OR %(seconds)s > 0)",
        {"seconds": seconds, "quiet": _QUIET, "dag_id": dag_id},
    )
