"""The ledger as a worker sees it: one chunk, one slot, one durable round trip per record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential_jitter,
)
from tenacity.nap import sleep_using_event

from wolkvox.errors import LedgerUnavailable, Stopped, WolkvoxError
from wolkvox.ledger import breaker, faults, suspension, workers
from wolkvox.ledger.connection import Connection, LedgerConnection, now_of, one_line, refusal, sql
from wolkvox.ledger.leases import LeaseRules, Owner, acquire_lease, log_wait, sweep
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.rules.chunks import share
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import Campaign, Faults, Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Chunk
from wolkvox.rules.states import State
from wolkvox.stop import Stop

# The connection was not made, ended or fell silent, or the server is in the middle of a failover.
LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, LedgerUnavailable)
LEDGER_TIMEOUT = 120.0  # seconds a task waits for PostgreSQL to come back
TRIALS_EVERY = 1.0  # seconds between two queries for suspended campaigns whose delay is over
AWAY = "Told to stop while PostgreSQL was away."

_NOTHING = Settled(0, State.PENDING, None, None, None)

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class ChunkSession:
    """
    One worker's session: its lease of a slot for one chunk, and the records that it takes.

    Without PostgreSQL nothing is sent: every method waits up to ``ledger_timeout`` seconds for a ledger that answers,
    acquires a slot again, and then writes what was still to be written.

    A statement's changes are visible to all sessions, and survive the end of this process, before the next request is
    made. They reach the disk during that request; the session waits for it before it writes anything else. If
    PostgreSQL crashes in between, this session writes the lost changes again. Only if both end within that
    millisecond or two, the last two records of the slot may be sent again instead of the last one.

    :param connect: opens a ledger connection in autocommit mode
    :param identity: of the address and the token in use: a circuit breaker that others opened does not count
    :param exports: whether each run asks for exports first, which show the result of dead tasks' requests
    :raises NoFreeSlot: on entering, when both slots stay taken
    :raises LedgerUnavailable: from any method, when PostgreSQL stays away
    """

    def __init__(
        self,
        connect: Callable[[], LedgerConnection],
        chunk: Chunk,
        rules: LeaseRules,
        owner: Owner,
        stop: Stop,
        identity: int = 0,
        retry_policy: RetryPolicy | None = None,
        ledger_timeout: float = LEDGER_TIMEOUT,
        *,
        exports: bool = False,
    ) -> None:
        self._exports = exports
        self._connect, self._chunk, self._rules, self._owner = connect, chunk, rules, owner
        self._stop, self._ledger_timeout, self._retry_policy = stop, ledger_timeout, retry_policy or RetryPolicy()
        self._breaker = breaker.Breaker(rules.operation, identity, (owner.dag_id, chunk.dag_run_id), self._retry_policy)
        self._connection: LedgerConnection | None = None
        self._slots: list[str] = []  # acquired since the last flush; the last one is held now
        self._at_risk: list[int] = []  # records this process has marked as being sent
        self._unflushed: tuple[Settled | None, int | None] | None = None  # committed, maybe not on disk yet
        self._flushing = False
        self._given_up: WolkvoxError | None = None  # why this session no longer waits for the ledger
        self._made_at: datetime | None = None  # when the chunk was made
        self._only: list[int] | None = None  # the only records it may take
        self._dag_id = owner.dag_id
        self._tried_at = -TRIALS_EVERY  # when trials of suspended campaigns were last asked for
        self._held_up_until: float | None = None  # until when it waits for a dead task's request
        self.seconds = 0.0  # that it may send

    def __enter__(self) -> ChunkSession:
        row = self.run(self._begin)
        if row is None:
            self._close()
            raise LedgerUnavailable(
                f"The ledger has no chunk {self._chunk.number} of this run: it was made more than a month ago, or"
                " the ledger was restored. Nothing was sent; the next run takes up what waits."
            )
        self.seconds, self._made_at, self._only, self._dag_id = row
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is None:
            return
        try:
            self._await_flush(self._connection)
            self._connection.execute(sql("close_chunk"), {"chunk_id": self._chunk.chunk_id})
        except (psycopg.Error, Stopped):
            log.warning("The ledger went away before this chunk was closed: the next run finds out by itself.")
        finally:
            self._connection.close()

    def take(self, most: int, kept: Sequence[int] = ()) -> Sequence[Record]:
        """
        The newest records that may be sent now and that no other worker has taken; trials of campaigns come first.

        :param kept: records that were taken before and are still to be sent
        """
        return self.run(lambda connection: self._take(connection, most, kept))

    def is_held_up(self) -> bool:
        """
        Whether a dead task's request may still be in flight: its record is pending again after that.

        True for no longer than such a request can take; what is left then is the next run's.
        """
        if not self.run(self._orphaned):
            return False
        if self._held_up_until is None:
            log_wait(self._rules.call_timeout)
            self._held_up_until = monotonic() + self._rules.call_timeout + self._rules.timeout
        self.run(lambda connection: sweep(connection, self._rules, mine=self._slots[-1]))
        return monotonic() < self._held_up_until

    def is_outdated(self, record: Record) -> bool:
        """Retire a record if a later contact of its customer is coded or is being sent; whether it was retired."""
        return self.run(lambda connection: connection.execute(sql("retire_outdated"), {"id": record.id}).rowcount == 1)

    def trials(self) -> Sequence[Record]:
        """The trial records of the open circuit breaker; none when no trial is due, or another worker makes it."""

        def choose(connection: Connection) -> Sequence[Record]:
            with connection.transaction():
                records = breaker.trials_of_all(connection, self._rules.operation, only=self._only)
                begins = bool(records) and breaker.begin_trial(connection, self._rules.operation, self._retry_policy)
            return records if begins else ()

        return self.run(choose)

    def another(self, campaigns: Iterable[Campaign]) -> Record | None:
        """The newest record of another campaign than these; None where the chunk's records were chosen by hand."""
        if self._only is not None:
            return None
        return self.run(lambda connection: faults.another(connection, self._rules.operation, campaigns))

    def close(self) -> bool:
        """
        Close the chunk if no record is left for it; returns whether it is closed.

        A stage that hands records over holds the same lock: this session sees what came in before, and what comes
        later makes a chunk.
        """

        def end(connection: Connection) -> bool:
            with connection.transaction():
                workers.in_turn(connection, self._rules.operation)
                if self._take_newest(connection, 1, ()):
                    return False
                connection.execute(
                    "UPDATE wolkvox.chunk SET closed_at = clock_timestamp() WHERE chunk_id = %s",
                    (self._chunk.chunk_id,),
                )
            return True

        return self.run(end)

    def is_last(self) -> bool:
        """Whether no other worker is left to take what comes in."""
        return self.run(lambda connection: workers.under_way(connection, self._rules.operation)) <= 1

    def is_awaited(self) -> bool:
        """Whether another operation waits for this token's slots."""
        return self.run(lambda connection: workers.others_wait(connection, self._chunk.chunk_id))

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        """Settle one record and mark the next one, in one statement; False when the next one isn't ours."""
        self._at_risk = _ids(settled, following)
        claimed = self.run(lambda connection: self._advance(connection, settled, following))
        self._unflushed = settled, following if claimed else None
        self._at_risk = _ids(*self._unflushed)
        if following is None:
            self.run(lambda _: None)
        return claimed

    def still_in_flight(self, record: int) -> float:
        """Note that an answered request may still be in flight; returns the seconds until it can't be."""

        def busy(connection: Connection) -> float:
            row = connection.execute(
                "UPDATE wolkvox.slot SET in_flight_until = record.sent_at + %s FROM wolkvox.codification AS record"
                " WHERE record.id = %s AND slot.slot = ANY(%s)"
                " RETURNING extract(epoch FROM in_flight_until - clock_timestamp())::float",
                (timedelta(seconds=self._rules.call_timeout), record, self._slots),
            ).fetchone()
            return 0.0 if row is None else float(row[0])

        return self.run(busy)

    def faults(self) -> Faults:
        """The suspended campaigns of the operation, and the reason of its open circuit breaker."""
        return self.run(self._faults)

    def count(self, fault: Fault) -> Faults:
        """Count a record that was refused (and settled) or that failed; returns the faults known by now."""

        def count(connection: Connection) -> Faults:
            counted = faults.count_fault(connection, self._breaker, fault)
            current = self._faults(connection)
            outage = counted.outage or current.outage
            if outage or fault.campaign in current.suspended:  # perhaps another task found it meanwhile
                faults.reopen(connection, self._breaker, [fault.record])
            return replace(counted, suspended=current.suspended, outage=outage)

        return self.run(count)

    def judge(self, fault: Fault) -> Faults:
        """Whether the failures in a row are an outage, now that no other record is left to send."""
        return self.run(lambda connection: faults.judge(connection, self._breaker, fault))

    def resume(self, campaign: Campaign) -> None:
        """Resume a suspended campaign: a record of it was coded."""
        self.run(lambda connection: suspension.resume(connection, self._rules.operation, campaign))

    def now(self) -> datetime:
        """The ledger's time."""
        return self.run(now_of)

    def answered_since(self, since: datetime) -> bool:
        """Whether wolkvox has answered a worker's request since."""
        return self.run(lambda connection: faults.answered_since(connection, self._rules.operation, since))

    def open_breaker(self, reason: str, message: str) -> bool:
        """Open the operation's circuit breaker; whether this task is the first to do so."""
        return self.run(lambda connection: breaker.open_breaker(connection, self._breaker, reason, message))

    def revert_attempts(self, requests: Mapping[int, int]) -> None:
        """Subtract requests that met an outage from the attempts of their records."""
        self.run(lambda connection: faults.revert_attempts(connection, self._chunk.chunk_id, requests))

    def close_breaker(self) -> None:
        """Close the operation's circuit breaker: a request succeeded."""
        self.run(lambda connection: breaker.close_breaker(connection, self._rules.operation))

    def _faults(self, connection: Connection) -> Faults:
        outage = breaker.outage(connection, self._rules.operation, self._breaker.fingerprint)
        suspended = suspension.suspended_campaigns(connection, self._rules.operation)
        return Faults(
            frozenset((each.type_campaign, each.campaign_id) for each in suspended), outage.reason if outage else None
        )

    def _begin(self, connection: Connection) -> tuple[Any, ...] | None:
        values = {"chunk_id": self._chunk.chunk_id, "time": timedelta(seconds=self._chunk.seconds)}
        return connection.execute(sql("begin_chunk"), values).fetchone()

    def _take(self, connection: Connection, most: int, kept: Sequence[int] = ()) -> list[Record]:
        trials: list[Record] = []
        if self._only is None and monotonic() - self._tried_at >= TRIALS_EVERY:
            self._tried_at = monotonic()
            trials = suspension.campaign_trials(connection, self._rules.operation, self._retry_policy, most)
        return self._within_life(connection, trials) if trials else self._take_newest(connection, most, kept)

    def _take_newest(self, connection: Connection, most: int, kept: Sequence[int]) -> list[Record]:
        slot = self._slots[-1]
        values = {
            "operation": self._rules.operation,
            "slot": slot,
            "made_at": self._made_at,
            "exports": self._exports,
            "most": most,
            "kept": list(kept),
        }
        if self._only is not None:
            own = connection.execute(sql("take_only"), {**values, "ids": self._only}).fetchall()
            return self._within_life(connection, [Record(*row) for row in own])
        with connection.transaction():
            lock_until_commit(connection, Lock.TAKE, self._rules.operation)
            while rows := connection.execute(sql("take"), {**values, "most": 2 * most}).fetchall():
                records = self._within_life(connection, [Record(*row) for row in rows[: share(len(rows), most)]])
                connection.execute(
                    "UPDATE wolkvox.slot SET taken = %s WHERE slot = %s",
                    ([*kept, *(record.id for record in records)], slot),
                )
                if records:
                    return records
            return [Record(*row) for row in connection.execute(sql("take_over"), values)]

    def _within_life(self, connection: Connection, records: Sequence[Record]) -> list[Record]:
        """The records that have requests left; the others fail: each of their requests ended with its task."""
        used_up = [record.id for record in records if record.requests >= self._retry_policy.requests]
        if used_up:
            values = {
                "ids": used_up,
                "dag_id": self._dag_id,
                "dag_run_id": self._chunk.dag_run_id,
                "chunk_id": self._chunk.chunk_id,
                "number": self._chunk.number,
            }
            connection.execute(sql("give_up"), values)
        return [record for record in records if record.requests < self._retry_policy.requests]

    def run(self, work: Callable[[LedgerConnection], Result]) -> Result:
        """Run a function on the connection, and again on a new one if the connection is lost meanwhile."""
        if self._given_up is not None:  # tidying up must not wait as long again
            raise self._given_up
        began = monotonic()
        try:
            return work(self._connected())
        except LOST:
            self._forget()
        except Stopped as error:
            self._given_up = error
            raise
        except psycopg.Error as error:
            raise refusal(error) from None
        return self._run_patiently(work, self._ledger_timeout - (monotonic() - began))

    def _run_patiently(self, work: Callable[[LedgerConnection], Result], seconds: float) -> Result:
        attempts = Retrying(
            retry=retry_if_exception_type(LOST),
            wait=wait_exponential_jitter(multiplier=0.2, max=5.0, jitter=0.2),
            stop=stop_after_delay(max(0.0, seconds)) | stop_when_event_set(self._stop),  # type: ignore[arg-type]
            sleep=sleep_using_event(self._stop),  # type: ignore[arg-type]  # a Stop is all of an Event it needs
            before_sleep=lambda _: self._forget(),
            reraise=True,
        )
        try:
            if self._stop.is_set():
                raise Stopped(AWAY)
            return attempts(lambda: work(self._connected()))
        except LOST as error:
            self._given_up = Stopped(AWAY)
            if not self._stop.is_set():
                self._given_up = LedgerUnavailable(
                    f"The ledger stayed out of reach for {self._ledger_timeout:g} s. {one_line(error)} Nothing is sent"
                    " without it; the rest of the chunk stays pending, and a retry takes it up."
                )
            raise self._given_up from None
        except Stopped as error:
            self._given_up = error
            raise
        except psycopg.Error as error:
            raise refusal(error) from None

    def _connected(self) -> LedgerConnection:
        if self._connection is not None:
            self._await_flush(self._connection)
            return self._connection
        connection = self._connect()
        connection.timeout = self._ledger_timeout / 2  # of the other half, a new connection may be made
        self._flushing = False
        try:
            own = [*self._at_risk, *_ids(*(self._unflushed or (None, None)))]
            self._slots.append(
                acquire_lease(connection, self._rules, self._owner, self._stop, own, self._chunk.chunk_id)
            )
            connection.execute(sql("prepare_advance"))
            connection.execute(sql("prepare_flush"))
            connection.execute("SET synchronous_commit = off")
            if self._unflushed is not None:
                self._advance(connection, *self._unflushed)
                self._await_flush(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _forget(self) -> None:
        log.warning("The ledger doesn't answer; nothing is sent until it does.")
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _await_flush(self, connection: LedgerConnection) -> None:
        """Wait until all that was written is on disk."""
        if not self._flushing:
            return
        self._flushing = False
        for result in connection.results():
            _check(connection, result)
        self._unflushed = None
        del self._slots[:-1]

    def _orphaned(self, connection: Connection) -> bool:
        """Whether a record of the operation is marked as being sent in a slot that nobody holds."""
        if self._only is not None or self._exports:
            return False
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM wolkvox.codification WHERE operation = %s AND state = 'sending'"
            " AND slot <> ALL(ARRAY(SELECT slot FROM wolkvox.held_slot)))",
            (self._rules.operation,),
        ).fetchone()
        return bool(row and row[0])

    def _advance(self, connection: LedgerConnection, settled: Settled | None, following: int | None) -> bool:
        """Execute ``advance`` through libpq: psycopg's cursor takes twice the processor time for each record."""
        last = settled or _NOTHING
        values = (
            None if settled is None else str(last.id),
            last.state,
            last.reason,
            last.code,
            last.msg,
            "0" if last.counts else "1",
            None if following is None else str(following),
            self._chunk.chunk_id,
            self._slots[-1],
            f"{{{','.join(self._slots)}}}",
            None if last.delay is None else str(last.delay),
            self._dag_id,
            self._chunk.dag_run_id,
            str(self._chunk.number),
        )
        encoding = connection.info.encoding
        encoded = [None if value is None else value.encode(encoding) for value in values]
        connection.pgconn.send_query_prepared(b"advance", encoded)
        (result,) = connection.results()
        _check(connection, result)
        connection.pgconn.send_query_prepared(b"flush", None)
        self._flushing = True
        return result.command_tuples == 1


def _ids(settled: Settled | None, following: int | None) -> list[int]:
    """The ids of one step's records."""
    return [record for record in (settled.id if settled else None, following) if record is not None]


def _check(connection: Connection, result: PGresult) -> None:
    """Raise what psycopg would raise."""
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return
    error = error_from_result(result, connection.info.encoding)
    if error.sqlstate is None:  # libpq's own message: the server is gone
        raise psycopg.OperationalError(str(error))
    raise error
