"""From the warehouse into the ledger, and from the ledger into chunks."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import psycopg

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.faults import choose_probes, put_off_outage
from wolkvox.ledger.reports import backlog
from wolkvox.rules.chunks import MAX_CHUNK, deal, sendable
from wolkvox.rules.contacts import Contact
from wolkvox.rules.patience import Patience

# One run at a time stages for an operation: two would claim the same records in turn.
STAGE_LOCK = 7_041_964

BATCH = 20_000  # contacts written at once: two such batches are what staging keeps in memory
TELL_EVERY = 5 * BATCH  # rows: a few seconds' work

# Binary takes a third of the processor time that text does; a key's 16 bytes are what a uuid is in it.
_COPY = """
    COPY incoming (
        contact_key, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at, reason,
        channel, direct, protected_until
    ) FROM STDIN (FORMAT BINARY)
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    The reference of a chunk: all that travels through XCom. ``number`` counts from 1 within the run.

    ``until`` is the moment, in ISO format, at which its time is over.
    """

    chunk_id: str
    dag_run_id: str
    operation: str
    number: int
    records: int
    until: str


@dataclass(frozen=True, slots=True)
class Run:
    """Whose records these are: a run is its operation, its DAG and its id."""

    operation: str
    dag_id: str
    dag_run_id: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What may be sent now: at most so many ``records`` (None: all), with one of these ``codes`` (None: any).

    ``outage``: nothing can be sent; one record may try whether it is over when ``probe`` is set, too.
    """

    records: int | None = None
    codes: frozenset[str] | None = None
    outage: bool = False
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Resend:
    """Which settled records of a window are offered again: those whose state or whose reason is ``kind``."""

    kind: str
    window_start: datetime
    window_end: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run may send, and how long a call takes, both in seconds."""

    seconds: float
    seconds_per_call: float


@dataclass(slots=True)
class Staged:
    """
    What staging did, in records.

    ``pulled`` rows are ``new`` ones that can be sent, ``invalid`` ones that can't, and ``known`` ones that the
    ledger held already. ``superseded`` counts older contacts of the same customer and campaign, ``expired``
    those that waited too long, ``codes_unknown`` those whose disposition code the operation doesn't have,
    ``given_up`` those that had all the calls of their life, ``reopened`` those offered again on request, and
    ``waiting`` all that are still to be sent; of these ``records`` are in this run's chunks, ``probes`` of them to
    try a parked campaign or an outage. They are of so many ``campaigns``.
    """

    pulled: int = 0
    new: int = 0
    invalid: int = 0
    known: int = 0
    superseded: int = 0
    expired: int = 0
    codes_unknown: int = 0
    given_up: int = 0
    reopened: int = 0
    waiting: int = 0
    records: int = 0
    probes: int = 0
    campaigns: int = 0
    chunks: list[Chunk] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {name: value for name, value in asdict(self).items() if name != "chunks"}


def stage(
    connection: Connection,
    contacts: Iterable[Contact],
    *,
    run: Run,
    ask: Callable[[], Allowance],
    pace: Pace,
    expire_after: timedelta,
    most_chunks: int,
    patience: Patience | None = None,
    resend: Resend | None = None,
    customer_id: str | None = None,
    keep: bool = True,
) -> Staged:
    """
    Write contacts into the ledger, then claim what is to be sent now and deal it into chunks.

    The contacts are durable before ``ask`` is called, so that nothing is lost when the vendor refuses to tell.
    The newest contacts are claimed first, whatever their campaign, those that earlier runs left among them; no
    more of them than can be sent in the run's time.

    :param contacts: read as a stream: memory stays flat
    :param ask: what may be sent now; its errors leave the contacts staged and unclaimed
    :param pace: how much can be sent now
    :param expire_after: age of a contact from which it is no longer sent
    :param most_chunks: chunks a run may have (Airflow's limit of mapped tasks)
    :param resend: settled records to offer again
    :param customer_id: the one customer to send, whatever else waits
    :param keep: False does everything and undoes it: a dry run
    """
    staged = Staged()
    claim = _Claim(connection, run, staged, expire_after, most_chunks, patience or Patience(), resend, customer_id)
    if keep:
        with connection.transaction():
            _load(connection, contacts, asdict(run), staged)
        _tell(staged)
        allowance = ask()
        with connection.transaction():
            claim(allowance, pace)
    else:
        with connection.transaction(force_rollback=True):
            _load(connection, contacts, asdict(run), staged)
            _tell(staged)
            claim(ask(), pace)
    return staged


def _load(connection: Connection, contacts: Iterable[Contact], scope: dict[str, Any], staged: Staged) -> None:
    """
    Write the contacts down, batch by batch; those that the ledger knows already change nothing.

    A thread hands one batch to PostgreSQL while the next one is read: each takes about half of the time. What is
    loaded by now, Airflow above all, is kept from the garbage collector: each batch would make it look through all
    of that again, an eighth of the reading.
    """
    gc.freeze()
    mark = connection.execute("SELECT coalesce(max(id), 0) FROM wolkvox.codification").fetchone()
    assert mark is not None
    connection.execute(sql("incoming"))
    rest = iter(contacts)
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[tuple[int, int]] | None = None
        while batch := list(islice(rest, BATCH)):
            _count(staged, written)
            staged.pulled += len(batch)
            if staged.pulled % TELL_EVERY == 0:
                log.info("%d rows pulled so far", staged.pulled)
            written = writer.submit(_write, connection, batch, scope)
        _count(staged, written)
    staged.new += _renew(connection, scope)
    staged.known = staged.pulled - staged.new - staged.invalid
    if staged.new:
        connection.execute(
            "INSERT INTO wolkvox.uncompared (operation, above) VALUES (%s, %s)", (scope["operation"], mark[0])
        )


def _write(connection: Connection, batch: Sequence[Contact], scope: dict[str, Any]) -> tuple[int, int]:
    """
    Write contacts down; how many of them are new and valid, and new and invalid.

    Each answer that the writing thread waits for, it then has to wait for the reading one: so two statements are
    sent as one text, which only a client cursor can.
    """
    with psycopg.ClientCursor(connection) as cursor:
        with cursor.copy(_COPY) as copy:
            for contact in batch:
                copy.write_row(contact)
        row = cursor.execute(f"{sql('insert_incoming')}; {sql('see_changed')}; TRUNCATE incoming", scope).fetchone()
    assert row is not None
    return row[0], row[1]


def _renew(connection: Connection, scope: Mapping[str, Any]) -> int:
    """
    Offer contacts anew whose code the warehouse has changed back, from 5 to 6 and to 5 again; how many.

    The last code of the warehouse is then the last one that wolkvox gets.
    """
    keys = [key for (key,) in connection.execute(sql("changed_back"), scope)]
    if not keys:
        return 0
    facts = {**scope, "keys": keys, "spare": [uuid4() for _ in keys]}
    connection.execute(sql("free_keys"), facts)
    renewed = connection.execute(sql("renew_versions"), facts).rowcount
    connection.execute(sql("swap_versions"), facts)
    return renewed


def _tell(staged: Staged) -> None:
    log.info(
        "All %d rows pulled: %d new, %d that can't be sent, %d known; choosing what is sent now",
        staged.pulled,
        staged.new,
        staged.invalid,
        staged.known,
    )


def _count(staged: Staged, written: Future[tuple[int, int]] | None) -> None:
    """Wait until a batch is written, and count it."""
    if written is not None:
        new, invalid = written.result()
        staged.new += new
        staged.invalid += invalid


def _lock(connection: Connection, scope: Mapping[str, Any]) -> None:
    """One run at a time from here to the end of the transaction, so that each sees what the other one did."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (STAGE_LOCK, scope["operation"]))


@dataclass(slots=True)
class _Claim:
    """Retires what must not be sent any more, chooses what is sent now, and deals it into chunks."""

    connection: Connection
    run: Run
    staged: Staged
    expire_after: timedelta
    most_chunks: int
    patience: Patience
    resend: Resend | None
    customer_id: str | None

    def __call__(self, allowance: Allowance, pace: Pace) -> None:
        scope, staged = asdict(self.run), self.staged
        _lock(self.connection, scope)
        self._retire(scope, allowance)
        staged.waiting = backlog(self.connection, self.run.operation).waiting
        chosen = self._choose(scope, allowance, pace)
        staged.records = len(chosen)
        staged.chunks = self._deal(scope, chosen, pace)
        row = self.connection.execute(
            "SELECT count(DISTINCT (type_campaign, campaign_id)) FROM wolkvox.codification WHERE id = ANY(%s)",
            (chosen,),
        ).fetchone()
        staged.campaigns = row[0] if row else 0

    def _retire(self, scope: dict[str, Any], allowance: Allowance) -> None:
        """What is offered again on request, and what isn't sent any more."""
        staged = self.staged
        if self.resend is not None:
            facts = {**scope, **asdict(self.resend), "customer_id": self.customer_id, "expire_after": self.expire_after}
            staged.reopened = self._count("reopen", facts)
        self._supersede(scope)
        if allowance.codes is not None:
            staged.codes_unknown = self._count("refuse_codes", {**scope, "codes": sorted(allowance.codes)})
        staged.expired = self._count("expire", {**scope, "expire_after": self.expire_after})

    def _supersede(self, scope: dict[str, Any]) -> None:
        """Compare what came in since the last time, also with a run that died before it did so."""
        loads = self.connection.execute(
            "DELETE FROM wolkvox.uncompared WHERE operation = %(operation)s RETURNING above", scope
        ).fetchall()
        marks = [above for (above,) in loads]
        if marks and min(marks) > 0:
            self._count("note_changed", {**scope, "mark": min(marks)})
        marks += [0] if self.staged.reopened else []
        if marks:
            self.staged.superseded = self._count("supersede", {**scope, "mark": min(marks)})

    def _choose(self, scope: dict[str, Any], allowance: Allowance, pace: Pace) -> list[int]:
        """The records of this run: probes first, then the newest that both slots can send in the run's time."""
        if allowance.outage:
            return self._choose_probe(scope) if allowance.probe and allowance.records != 0 else []
        most = min(sendable(pace.seconds, pace.seconds_per_call), self.most_chunks * MAX_CHUNK)
        budget = most if allowance.records is None else min(most, allowance.records)
        if self.customer_id is not None:
            return self._within_life(scope, self._of_customer(scope, budget))
        probes = choose_probes(self.connection, self.run.operation, self.patience)[:budget]
        newest = self.connection.execute(sql("choose"), {**scope, "budget": budget - len(probes)}).fetchall()
        self.staged.probes = len(probes)
        return [*probes, *self._within_life(scope, newest)]

    def _of_customer(self, scope: dict[str, Any], budget: int) -> list[tuple[int, int]]:
        facts = {**scope, "customer_id": self.customer_id, "budget": budget}
        return self.connection.execute(sql("choose_customer"), facts).fetchall()

    def _within_life(self, scope: dict[str, Any], chosen: Sequence[tuple[int, int]]) -> list[int]:
        """Those records that have calls left; the others were killed with their task each time."""
        used_up = [record for record, calls in chosen if calls >= self.patience.calls]
        if used_up:
            self.staged.given_up = self._count("give_up", {**scope, "ids": used_up})
        return [record for record, calls in chosen if calls < self.patience.calls]

    def _choose_probe(self, scope: dict[str, Any]) -> list[int]:
        if self.customer_id is None:
            probe = [record for (record,) in self.connection.execute(sql("choose_probe"), scope)]
        else:
            probe = [record for record, _ in self._of_customer(scope, 1)]
        if probe:
            put_off_outage(self.connection, self.run.operation, self.patience)
        self.staged.probes = len(probe)
        return probe

    def _deal(self, scope: dict[str, Any], chosen: list[int], pace: Pace) -> list[Chunk]:
        row = self.connection.execute(
            "SELECT (clock_timestamp() + %s) AT TIME ZONE 'UTC'", (timedelta(seconds=pace.seconds),)
        ).fetchone()
        assert row is not None
        until = f"{row[0].isoformat(timespec='seconds')}+00:00"
        chunks = []
        with self.connection.cursor() as cursor:
            for number, ids in enumerate(deal(chosen, pace.seconds_per_call), start=1):
                chunk = Chunk(uuid4().hex, self.run.dag_run_id, self.run.operation, number, len(ids), until)
                chunks.append(chunk)
                cursor.execute(
                    "INSERT INTO wolkvox.chunk (chunk_id, operation, dag_id, dag_run_id, number, ids)"
                    " VALUES (%(chunk_id)s, %(operation)s, %(dag_id)s, %(dag_run_id)s, %(number)s, %(ids)s)",
                    {**scope, "chunk_id": chunk.chunk_id, "number": number, "ids": list(ids)},
                )
        self._count("assign", {"chunk_ids": [chunk.chunk_id for chunk in chunks]})
        return chunks

    def _count(self, statement: str, facts: Mapping[str, Any]) -> int:
        """Run a statement of its own file; how many rows it changed."""
        return self.connection.execute(sql(statement), facts).rowcount
