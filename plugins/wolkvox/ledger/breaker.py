"""
The circuit breaker of an operation: what keeps all of its tasks from sending anything, by the database's clock.

Each function is one transaction of its own when the connection is in autocommit mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from wolkvox.ledger import streaks
from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.rules.campaigns import MISFITS
from wolkvox.rules.records import EVERYTHING_REFUSED, Record
from wolkvox.rules.retry_policy import TRIALS, RetryPolicy, doubled


class OpenBreaker(NamedTuple):
    """
    What keeps an operation from sending anything.

    ``dag_id`` and ``dag_run_id`` are the run's that met it first; ``over`` tells whether a request may try again.
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

    :param fingerprint: of the address and the token in use: with others, nothing is known yet
    :param run: DAG and run that open it
    """

    operation: str
    fingerprint: int
    run: tuple[str, str]
    retry_policy: RetryPolicy


def outage(connection: Connection, operation: str, fingerprint: int) -> OpenBreaker | None:
    """
    What keeps the operation from sending, or None.

    :param fingerprint: of the address and the token in use: with others, nothing is known yet
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
    Note that nothing can be sent; whether this is news.

    Streaks of refusals begin again where everything is refused. What failed of a campaign goes on to count: it says
    nothing while nobody succeeds, and tells which campaigns are dead once another one does.
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
            (breaker.operation, *streaks.WHOLE_OPERATION),
        )
        return connection.execute(sql("open_breaker"), values).rowcount == 1


def close_breaker(connection: Connection, operation: str) -> None:
    """A request went through. What was suspended meanwhile is tried at once: the outage may have been why."""
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
        streaks.forget(connection, operation, streaks.WHOLE_OPERATION)


def forget_other_outages(connection: Connection, operation: str, fingerprint: int) -> None:
    """What was an outage of another address or token is none of this one's."""
    connection.execute(
        "DELETE FROM wolkvox.circuit_breaker WHERE operation = %s AND fingerprint <> %s", (operation, fingerprint)
    )


def try_at_once(connection: Connection, operation: str) -> None:
    """Somebody waits for a run: the next trial of an outage is due now."""
    connection.execute(
        "UPDATE wolkvox.circuit_breaker SET until = least(until, clock_timestamp()) WHERE operation = %s", (operation,)
    )


def begin_trial(connection: Connection, operation: str, retry_policy: RetryPolicy) -> bool:
    """Whether this worker may try if the outage is over: one at a time, and the next one after a longer pause."""
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
    Records of different campaigns that try whether an outage is over.

    :param only: the records to choose from; None: whatever waits
    """
    values = {"operation": operation, "most": TRIALS, "only": None if only is None else list(only)}
    return [Record(*row) for row in connection.execute(sql("trials_of_all"), values)]
