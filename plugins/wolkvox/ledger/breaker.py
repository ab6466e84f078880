"""
The circuit breaker of an operation: what keeps all of its tasks from sending anything, by the database's clock.

Each function is one transaction of its own when the connection is in autocommit mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from wolkvox.ledger import consecutive_failures
from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.rules.campaigns import MISFITS
from wolkvox.rules.records import EVERYTHING_REFUSED, Record
from wolkvox.rules.retry_policy import TRIALS, RetryPolicy, doubled


class OpenBreaker(NamedTuple):
    """
    Why an operation sends nothing.

    ``dag_id`` and ``dag_run_id`` are those of the run that opened it; ``over``: a trial is due.
    """

    reason: str
    message: str
    since: datetime
    until: datetime
    dag_id: str
    dag_run_id: str
    over: bool


@dataclass(frozen=True, slots=True)
class Breaker:
    """
    The circuit breaker of an operation, as one run sees it.

    :param fingerprint: of the address and the token in use: a breaker that others opened does not count
    :param run: DAG and run that may open it
    """

    operation: str
    fingerprint: int
    run: tuple[str, str]
    retry_policy: RetryPolicy


def outage(connection: Connection, operation: str, fingerprint: int) -> OpenBreaker | None:
    """
    The operation's open circuit breaker, or None.

    :param fingerprint: of the address and the token in use: a breaker that others opened does not count
    """
    row = connection.execute(
        "SELECT reason, message, since, until, dag_id, dag_run_id,"
        " until <= clock_timestamp() OR until > clock_timestamp() + %s FROM wolkvox.circuit_breaker"
        " WHERE operation = %s AND fingerprint = %s",
        (timedelta(seconds=RetryPolicy().longest_breaker_delay), operation, fingerprint),
    ).fetchone()
    return None if row is None else OpenBreaker(*row)


def open_breaker(connection: Connection, breaker: Breaker, reason: str, message: str) -> bool:
    """
    Open the operation's circuit breaker; returns whether it was closed before.

    Where everything is refused, consecutive refusals are counted from zero again. Consecutive failures of a campaign
    stay: once another campaign succeeds, they show which campaigns are at fault.
    """
    values = {
        "operation": breaker.operation,
        "fingerprint": breaker.fingerprint,
        "dag_id": breaker.run[0],
        "dag_run_id": breaker.run[1],
        "reason": reason,
        "message": message,
        "pause": timedelta(seconds=breaker.retry_policy.first_breaker_delay),
    }
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, breaker.operation)
        if reason == EVERYTHING_REFUSED:
            connection.execute("DELETE FROM wolkvox.consecutive_failures WHERE operation = %s", (breaker.operation,))
        connection.execute(
            "UPDATE wolkvox.consecutive_failures SET failed = '{}'"
            " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
            (breaker.operation, *consecutive_failures.WHOLE_OPERATION),
        )
        return connection.execute(sql("open_breaker"), values).rowcount == 1


def close_breaker(connection: Connection, operation: str) -> None:
    """Close the circuit breaker: a request succeeded. Campaigns suspended meanwhile are tried at once."""
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, operation)
        row = connection.execute(
            "DELETE FROM wolkvox.circuit_breaker WHERE operation = %s RETURNING since", (operation,)
        ).fetchone()
        if row is not None:
            connection.execute(
                "UPDATE wolkvox.suspended_campaign SET until = least(until, clock_timestamp())"
                " WHERE operation = %s AND since > %s - interval '1 hour' AND reason <> ALL(%s)",
                (operation, row[0], list(MISFITS)),
            )
        consecutive_failures.forget(connection, operation, consecutive_failures.WHOLE_OPERATION)


def forget_other_outages(connection: Connection, operation: str, fingerprint: int) -> None:
    """Close a circuit breaker that another address or token opened."""
    connection.execute(
        "DELETE FROM wolkvox.circuit_breaker WHERE operation = %s AND fingerprint <> %s", (operation, fingerprint)
    )


def try_at_once(connection: Connection, operation: str) -> None:
    """Make the next trial due now: a person waits for the run."""
    connection.execute(
        "UPDATE wolkvox.circuit_breaker SET until = least(until, clock_timestamp()) WHERE operation = %s", (operation,)
    )


def begin_trial(connection: Connection, operation: str, retry_policy: RetryPolicy) -> bool:
    """Whether this worker may make the trial: one worker at a time, the next one after a longer delay."""
    row = connection.execute("SELECT trials FROM wolkvox.circuit_breaker WHERE operation = %s", (operation,)).fetchone()
    pause = doubled(retry_policy.first_breaker_delay, retry_policy.longest_breaker_delay, (row[0] if row else 0) + 1)
    return (
        connection.execute(
            "UPDATE wolkvox.circuit_breaker SET trials = trials + 1, until = clock_timestamp() + %(pause)s"
            " WHERE operation = %(operation)s"
            " AND (until <= clock_timestamp() OR until > clock_timestamp() + %(longest)s)",
            {
                "pause": timedelta(seconds=pause),
                "operation": operation,
                "longest": timedelta(seconds=RetryPolicy().longest_breaker_delay),
            },
        ).rowcount
        == 1
    )


def trials_of_all(connection: Connection, operation: str, only: Sequence[int] | None = None) -> list[Record]:
    """
    The trial records of an open circuit breaker, each of another campaign.

    :param only: the records to choose from; None: whatever waits
    """
    values = {"operation": operation, "most": TRIALS, "only": None if only is None else list(only)}
    return [Record(*row) for row in connection.execute(sql("trials_of_all"), values)]
