"""The ledger as the codify loop sees it: one chunk, one slot, one durable round trip per record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from time import monotonic
from types import TracebackType
from typing import TypeVar

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
from wolkvox.ledger import faults
from wolkvox.ledger.connection import Connection, LedgerConnection, one_line, refusal, sql
from wolkvox.ledger.slots import LOOK_AGAIN, STOPPED_WAITING, Holder, SlotRules, sweep, take_slot, tell_of_wait
from wolkvox.ledger.staging import Chunk
from wolkvox.rules.answers import Answer
from wolkvox.rules.patience import Patience
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record, Settled
from wolkvox.stop import Stop

# Away: not reached, ended, in the middle of a failover, or silent.
LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, LedgerUnavailable)
LEDGER_PATIENCE = 120.0  # seconds a task waits for PostgreSQL to come back
AWAY = "Told to stop while PostgreSQL was away."

_NOTHING = Settled(0, "pending", None, None, None)

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class ChunkSession:
    """
    A slot of the token, held for one chunk, and the chunk's records.

    When PostgreSQL goes away nothing is sent: every call waits for a ledger that answers, up to ``ledger_patience``
    seconds, takes a slot anew, and then writes what was still to be written.

    What a record's statement wrote is seen by everybody at once, and survives the end of this process, before the
    next call is made; it reaches the disk while that call is under way, and is asked for before anything else is
    written. A crash of PostgreSQL in between takes back what this session then writes again. Only when both end
    within that millisecond or two, the last two records of the slot may be sent again instead of the last one.

    :param connect: opens a ledger connection in autocommit mode
    :param identity: of the address and the token in use, by which an outage is known
    :raises NoFreeSlot: on entering, when both slots stay taken
    :raises LedgerUnavailable: from any method, when PostgreSQL stays away
    """

    def __init__(
        self,
        connect: Callable[[], LedgerConnection],
        chunk: Chunk,
        rules: SlotRules,
        holder: Holder,
        stop: Stop,
        identity: int = 0,
        patience: Patience | None = None,
        ledger_patience: float = LEDGER_PATIENCE,
    ) -> None:
        self._connect, self._chunk, self._rules, self._holder = connect, chunk, rules, holder
        self._stop, self._identity, self._ledger_patience = stop, identity, ledger_patience
        self._patience = patience or Patience()
        self._connection: LedgerConnection | None = None
        self._slots: list[str] = []  # taken since the ledger last confirmed a record; the last one is held now
        self._at_risk: list[int] = []  # records this process has marked as being sent
        self._unflushed: tuple[Settled | None, int | None] | None = None  # seen by everybody, maybe not on disk yet
        self._flushing = False
        self._given_up: WolkvoxError | None = None  # why nobody waits for the ledger any more

    def __enter__(self) -> ChunkSession:
        self.run(lambda _: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def waiting(self) -> Sequence[Record]:
        """The chunk's pending records, the newest first, without those that were put off.

        When there are none left but some that a dead task was sending, waits until those can't be in flight any
        more, and returns them.
        """
        deadline = monotonic() + self._rules.call_timeout + self._rules.patience
        records = self.run(self._pending)
        if not records and self.run(self._orphaned):
            tell_of_wait(self._rules.call_timeout)
        while not records and self.run(self._orphaned) and monotonic() < deadline:
            if self._stop.wait(LOOK_AGAIN):
                raise Stopped(STOPPED_WAITING)
            self.run(lambda connection: sweep(connection, self._rules, mine=self._slots[-1]))
            records = self.run(self._pending)
        return records

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        """Settle one record and mark the next one, in one statement; False when the next one isn't ours."""
        self._at_risk = _ids(settled, following)
        claimed = self.run(lambda connection: self._advance(connection, settled, following))
        self._unflushed = settled, following if claimed else None
        self._at_risk = _ids(*self._unflushed)
        if following is None:
            self.run(lambda _: None)
        return claimed

    def goes_on(self, record: int) -> float:
        """Note that a record's call may still be in flight, though it was answered; seconds until it can't be."""

        def busy(connection: Connection) -> float:
            row = connection.execute(
                "UPDATE wolkvox.slot SET busy_until = record.sent_at + %s FROM wolkvox.codification AS record"
                " WHERE record.id = %s AND slot.slot = ANY(%s)"
                " RETURNING extract(epoch FROM busy_until - clock_timestamp())::float",
                (timedelta(seconds=self._rules.call_timeout), record, self._slots),
            ).fetchone()
            return 0.0 if row is None else float(row[0])

        return self.run(busy)

    def faults(self) -> Faults:
        """What is known to be wrong with the operation."""
        return self.run(self._faults)

    def refused(self, record: Record, answer: Answer, refusal: str, coded: bool, anything_coded: bool) -> Faults:
        """Count a refusal that was settled, and tell what is wrong by now."""
        said = faults.Refused(record.id, record.campaign, answer.reason or "refused", refusal, refusal)

        def count(connection: Connection) -> Faults:
            operation = self._rules.operation
            everything = faults.count_refusal(connection, operation, said, coded, anything_coded, self._patience)
            known = self._faults(connection)
            if everything:
                known = Faults(known.parked, EVERYTHING_REFUSED)
            if known.outage or record.campaign in known.parked:  # by another task, while this call was under way
                faults.reopen(connection, operation, [record.id])
            return known

        return self.run(count)

    def unpark(self, campaign: Campaign) -> None:
        """A record of a parked campaign was coded."""
        self.run(lambda connection: faults.unpark(connection, self._rules.operation, campaign))

    def unanswered(self) -> int:
        """How many records met an outage with their last call since anybody had an answer."""
        return self.run(lambda connection: faults.unanswered(connection, self._rules.operation))

    def begin_outage(self, reason: str, words: str, calls: Mapping[int, int]) -> bool:
        """Note that nothing can be sent; whether this task is the first to say so."""
        run = self._holder.dag_id, self._holder.dag_run_id

        def begin(connection: Connection) -> bool:
            with connection.transaction():
                faults.take_back(connection, self._chunk.chunk_id, calls)
                return faults.begin_outage(
                    connection, self._rules.operation, self._identity, run, reason, words, self._patience
                )

        return self.run(begin)

    def end_outage(self) -> None:
        """A call went through."""
        self.run(lambda connection: faults.end_outage(connection, self._rules.operation))

    def _faults(self, connection: Connection) -> Faults:
        outage = faults.outage(connection, self._rules.operation, self._identity)
        rows = connection.execute(
            "SELECT type_campaign, campaign_id, parked.since < chunk.made_at"
            " FROM wolkvox.parked CROSS JOIN wolkvox.chunk WHERE parked.operation = %s AND chunk.chunk_id = %s",
            (self._rules.operation, self._chunk.chunk_id),
        )
        parked = {(type_campaign, campaign_id): probing for type_campaign, campaign_id, probing in rows}
        return Faults(parked, outage.reason if outage else None)

    def run(self, work: Callable[[LedgerConnection], Result]) -> Result:
        """Do some work on the ledger, again after a reconnection if the connection is lost meanwhile."""
        if self._given_up is not None:  # whoever tidies up now would wait as long once more
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
        return self._run_patiently(work, self._ledger_patience - (monotonic() - began))

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
                    f"The ledger stayed out of reach for {self._ledger_patience:g} s. {one_line(error)} Nothing is sent"
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
        connection.patience = self._ledger_patience / 2  # of the other half, a new connection may be made
        self._flushing = False
        try:
            own = [*self._at_risk, *_ids(*(self._unflushed or (None, None)))]
            self._slots.append(take_slot(connection, self._rules, self._holder, self._stop, own))
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

    def _pending(self, connection: Connection) -> list[Record]:
        rows = connection.execute(
            sql("waiting"),
            {
                "dag_run_id": self._chunk.dag_run_id,
                "chunk_id": self._chunk.chunk_id,
                "calls": self._patience.calls,
            },
        )
        return [Record(*row) for row in rows]

    def _orphaned(self, connection: Connection) -> bool:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM wolkvox.codification"
            " WHERE dag_run_id = %s AND chunk_id = %s AND state = 'sending')",
            (self._chunk.dag_run_id, self._chunk.chunk_id),
        ).fetchone()
        return bool(row and row[0])

    def _advance(self, connection: LedgerConnection, settled: Settled | None, following: int | None) -> bool:
        """Straight through libpq: psycopg's own way takes twice the processor time, for every record."""
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
            None if last.pause is None else str(last.pause),
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
    """The records of one step."""
    return [record for record in (settled.id if settled else None, following) if record is not None]


def _check(connection: Connection, result: PGresult) -> None:
    """Raise what psycopg would raise."""
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return
    error = error_from_result(result, connection.info.encoding)
    if error.sqlstate is None:  # libpq's own words: the server is gone
        raise psycopg.OperationalError(str(error))
    raise error
