"""
Leases of slots: at most two requests are in flight per token, over all processes that share the ledger.

A slot is a PostgreSQL advisory lock on (token fingerprint, slot number), held by the connection that writes the
ledger: a process that dies, or loses the ledger, loses its lease.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta

from wolkvox.errors import NoFreeSlot, Stopped
from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.chunks import SLOTS
from wolkvox.stop import Stop

LOOK_AGAIN = 0.5  # seconds between two tries to acquire a slot

STOPPED_WAITING = "Told to stop while waiting for an unanswered request of an earlier task to end."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """The task instance that owns a lease, as an error and the page show it."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int
    try_number: int


@dataclass(frozen=True, slots=True)
class LeaseRules:
    """
    The token's slots: ``fingerprint`` is that of the token, ``operation`` the one that sends.

    ``call_timeout``: seconds that an unanswered request may still be in flight at the vendor. ``timeout``: seconds that
    a task waits for a free slot.
    """

    fingerprint: int
    operation: str
    call_timeout: float
    timeout: float


def acquire_lease(
    connection: Connection,
    rules: LeaseRules,
    owner: Owner,
    stop: Stop,
    own: Sequence[int] = (),
    chunk_id: str | None = None,
    *,
    wait_out: bool = True,
) -> str:
    """
    Lock a free slot of the token and put back to pending what its last owner was sending.

    A record marked as being sent in a slot that nobody holds is a request whose answer was lost. This function waits
    until that request can't be in flight any more; the record is pending again then.

    :param own: ids of records that this process itself is sending, after a reconnection
    :param chunk_id: the chunk that is sent through the slot
    :param wait_out: whether to wait for a dead task's request for longer than for a free slot
    :returns: the slot's name
    :raises NoFreeSlot: with the owners of the slots
    :raises Stopped: when ``stop`` is set meanwhile
    """
    deadline = time.monotonic() + rules.timeout
    while True:
        for number in _waits(connection, rules, own):
            if not _lock(connection, rules.fingerprint, number):
                continue
            seconds = _waits(connection, rules, own)[number]  # again: only now no other process sends in it
            if seconds > rules.timeout and not wait_out:
                _unlock(connection, rules.fingerprint, number)
                raise NoFreeSlot(_explain(connection, rules))
            if seconds > 0:
                log_wait(seconds)
            if stop.wait(max(0.0, seconds)):
                raise Stopped(STOPPED_WAITING)
            return _hold(connection, rules, owner, number, own, chunk_id)
        if time.monotonic() >= deadline:
            raise NoFreeSlot(_explain(connection, rules))
        if stop.wait(LOOK_AGAIN):
            raise Stopped("Told to stop while waiting for a free slot.")


@dataclass(slots=True)
class RequestLease:
    """A lease for requests that send no record. ``still_in_flight``: an answered request may still be in flight."""

    still_in_flight: bool = False


@contextmanager
def lease_for_requests(connection: Connection, rules: LeaseRules, owner: Owner, stop: Stop) -> Iterator[RequestLease]:
    """
    A lease for a request that sends no record.

    The slot is noted as in flight for one ``call_timeout``, in case this process dies, and stays so if the request is
    ``still_in_flight``; errors as ``acquire_lease``.
    """
    slot = acquire_lease(connection, rules, owner, stop, wait_out=False)
    note = "UPDATE wolkvox.slot SET in_flight_until = clock_timestamp() + %s WHERE slot = %s"
    connection.execute(note, (timedelta(seconds=rules.call_timeout), slot))
    lease = RequestLease()
    try:
        yield lease
    finally:
        if not lease.still_in_flight:
            connection.execute(note, (None, slot))
        _unlock(connection, rules.fingerprint, int(slot.rpartition("/")[2]))


def log_wait(seconds: float) -> None:
    """Log why the task waits."""
    log.info("Waiting up to %.0f s for the end of a request that an earlier task left unanswered.", seconds)


def _prefix(rules: LeaseRules) -> str:
    return f"{rules.fingerprint & 0xFFFFFFFF:08x}/"


def _slot(rules: LeaseRules, number: int) -> str:
    return f"{_prefix(rules)}{number}"


def sweep(connection: Connection, rules: LeaseRules, mine: str | None = None) -> None:
    """
    Put back to pending what dead tasks were sending, once those requests can't be in flight any more.

    It checks every slot that the operation ever used, also those of its former tokens.

    :param mine: the slot that this process holds, which is left out
    """
    silence = timedelta(seconds=rules.call_timeout)
    params = {"operation": rules.operation, "mine": mine, "silence": silence}
    for slot, *key in connection.execute(sql("orphaned_slots"), params).fetchall():
        if _lock(connection, *key):
            try:
                connection.execute(sql("requeue_orphans"), {"slot": slot, "own": [], "silence": silence})
            finally:
                _unlock(connection, *key)


def _waits(connection: Connection, rules: LeaseRules, own: Sequence[int]) -> dict[int, float]:
    """
    Seconds until no request can be in flight in each slot, the least first; 0 or less: none can be now.

    At most ``call_timeout``, even if the database's clock was set back.
    """
    rows = connection.execute(
        sql("lease_waits"),
        {
            "prefix": _prefix(rules),
            "call_timeout": timedelta(seconds=rules.call_timeout),
            "slots": SLOTS,
            "own": list(own),
        },
    )
    return {number: 0.0 if seconds is None else min(seconds, rules.call_timeout) for number, seconds in rows}


def _lock(connection: Connection, lock_class: int, lock_number: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (lock_class, lock_number)).fetchone()
    return bool(row and row[0])


def _unlock(connection: Connection, lock_class: int, lock_number: int) -> None:
    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (lock_class, lock_number))


def _hold(
    connection: Connection, rules: LeaseRules, owner: Owner, number: int, own: Sequence[int], chunk_id: str | None
) -> str:
    slot = _slot(rules, number)
    params = {
        **asdict(owner),
        "slot": slot,
        "operation": rules.operation,
        "fingerprint": rules.fingerprint,
        "number": number,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "chunk_id": chunk_id,
    }
    with connection.transaction():
        connection.execute(sql("requeue_orphans"), {"slot": slot, "own": list(own), "silence": None})
        connection.execute(sql("note_owner"), params)
    return slot


def _explain(connection: Connection, rules: LeaseRules) -> str:
    """The error's text: who owns the slots."""
    rows = connection.execute(
        "SELECT slot, dag_id, dag_run_id, task_id, map_index, host, pid, taken_at"
        " FROM wolkvox.slot WHERE starts_with(slot, %s) ORDER BY slot",
        (_prefix(rules),),
    )
    owners = "; ".join(
        f"{dag}.{task}[{index}] of run {run} on {host} (process {pid}) since {since:%Y-%m-%d %H:%M:%S %Z}"
        for _, dag, run, task, index, host, pid, since in rows
    )
    return (
        f"Both slots of the token stayed taken for {rules.timeout:g} s. Held by: {owners or 'not known'}."
        " The task is retried; if an owner is long dead, end its database session."
    )
