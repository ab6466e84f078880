"""From the warehouse into the ledger, and from the ledger into chunks."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import psycopg

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.reports import backlog
from wolkvox.rules.chunks import Cut, plan
from wolkvox.rules.contacts import Contact

# One run at a time stages for an operation: two would claim the same records in turn.
STAGE_LOCK = 7_041_964

BATCH = 20_000  # contacts written at once: two such batches are what staging keeps in memory
TELL_EVERY = 5 * BATCH  # rows: a few seconds' work

# Binary takes a third of the processor time that text does; a key's 16 bytes are what a uuid is in it.
_COPY = """
    COPY incoming (
        contact_key, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at, reason
    ) FROM STDIN (FORMAT BINARY)
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The reference of a chunk: all that travels through XCom. ``number`` counts from 1 within the run."""

    chunk_id: str
    dag_run_id: str
    operation: str
    type_campaign: str
    campaign_id: str
    number: int
    records: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be sent now: at most so many ``records`` (None: all), with one of these ``codes`` (None: any)."""

    records: int | None = None
    codes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Resend:
    """Which settled records of a window are offered again: those whose state or whose reason is ``kind``."""

    kind: str
    window_start: datetime
    window_end: datetime


@dataclass(slots=True)
class Staged:
    """
    What staging did, in records.

    ``pulled`` rows are ``new`` ones that can be sent, ``invalid`` ones that can't, and ``known`` ones that the
    ledger held already. ``superseded`` counts older contacts of the same customer and campaign, ``expired``
    those that waited too long, ``codes_unknown`` those whose disposition code the operation doesn't have,
    ``reopened`` those offered again on request, and ``waiting`` all that are still to be sent; of these
    ``records`` are in this run's chunks. ``earlier`` ones stay in chunks that the run made when ``stage`` ran before:
    a cleared task begins anew.
    """

    pulled: int = 0
    new: int = 0
    invalid: int = 0
    known: int = 0
    superseded: int = 0
    expired: int = 0
    codes_unknown: int = 0
    reopened: int = 0
    waiting: int = 0
    records: int = 0
    earlier: int = 0
    chunks: list[Chunk] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {name: value for name, value in asdict(self).items() if name != "chunks"}


def stage(
    connection: Connection,
    contacts: Iterable[Contact],
    *,
    operation: str,
    dag_run_id: str,
    ask: Callable[[], Allowance],
    expire_after: timedelta,
    most_chunks: int,
    resend: Resend | None = None,
    keep: bool = True,
) -> Staged:
    """
    Write contacts into the ledger, then claim what is to be sent now and cut it into chunks.

    The contacts are durable before ``ask`` is called, so that nothing is lost when the vendor refuses to tell.
    The newest contacts are claimed first, those that earlier runs left pending or failed among them.

    :param contacts: read as a stream: memory stays flat
    :param ask: what may be sent now; its errors leave the contacts staged and unclaimed
    :param expire_after: age of a contact from which it is no longer sent
    :param most_chunks: chunks a run may have (Airflow's limit of mapped tasks)
    :param resend: settled records to offer again
    :param keep: False does everything and undoes it: a dry run
    """
    staged = Staged()
    scope: dict[str, Any] = {"operation": operation, "dag_run_id": dag_run_id, "expire_after": expire_after}
    if keep:
        with connection.transaction():
            _load(connection, contacts, scope, staged)
        _tell(staged)
        allowance = ask()
        with connection.transaction():
            _claim(connection, scope, staged, allowance, resend, most_chunks)
    else:
        with connection.transaction(force_rollback=True):
            _load(connection, contacts, scope, staged)
            _tell(staged)
            _claim(connection, scope, staged, ask(), resend, most_chunks)
    return staged


def _load(connection: Connection, contacts: Iterable[Contact], scope: dict[str, Any], staged: Staged) -> None:
    """
    Write the contacts down, batch by batch; those that the ledger knows already change nothing.

    A thread hands one batch to PostgreSQL while the next one is read: each takes about half of the time. What is
    loaded by now, Airflow above all, is kept from the garbage collector: each batch would make it look through all
    of that again, an eighth of the reading.
    """
    gc.freeze()
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
    staged.known = staged.pulled - staged.new - staged.invalid


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
        row = cursor.execute(f"{sql('insert_incoming')}; TRUNCATE incoming", scope).fetchone()
    assert row is not None
    return row[0], row[1]


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


def _claim(
    connection: Connection,
    scope: dict[str, Any],
    staged: Staged,
    allowance: Allowance,
    resend: Resend | None,
    most_chunks: int,
) -> None:
    """Retire what must not be sent any more, choose what is sent now, and give it to chunks."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (STAGE_LOCK, scope["operation"]))
    if resend is not None:
        staged.reopened = connection.execute(sql("reopen"), {**scope, **asdict(resend)}).rowcount
    if allowance.codes is not None:
        facts = {**scope, "codes": sorted(allowance.codes)}
        staged.codes_unknown = connection.execute(sql("refuse_codes"), facts).rowcount
    staged.expired = connection.execute(sql("expire"), scope).rowcount
    staged.superseded = connection.execute(sql("supersede"), scope).rowcount
    staged.waiting = backlog(connection, scope["operation"]).waiting
    connection.execute(sql("choose"), {**scope, "budget": allowance.records})
    staged.earlier = _earlier(connection, scope)
    campaigns = {
        (type_campaign, campaign_id): count
        for type_campaign, campaign_id, count in connection.execute(
            "SELECT type_campaign, campaign_id, count(*) FROM chosen GROUP BY 1, 2"
        )
    }
    cuts = plan(campaigns)[:most_chunks]
    staged.chunks = [_chunk(number, cut, scope) for number, cut in enumerate(cuts, start=1)]
    _assign(connection, scope, cuts, [chunk.chunk_id for chunk in staged.chunks])
    staged.records = sum(cut.size for cut in cuts)


def _earlier(connection: Connection, scope: dict[str, Any]) -> int:
    """Records in chunks that this run made before and that are not chosen anew."""
    row = connection.execute(
        "SELECT count(*) FROM wolkvox.codification AS record"
        " WHERE dag_run_id = %(dag_run_id)s AND chunk_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM chosen WHERE chosen.id = record.id)",
        scope,
    ).fetchone()
    assert row is not None
    return int(row[0])


def _assign(connection: Connection, scope: dict[str, Any], cuts: Sequence[Cut], chunk_ids: list[str]) -> None:
    connection.execute(
        sql("assign"),
        {
            **scope,
            "types": [cut.type_campaign for cut in cuts],
            "campaigns": [cut.campaign_id for cut in cuts],
            "firsts": [cut.first for cut in cuts],
            "ends": [cut.first + cut.size for cut in cuts],
            "chunk_ids": chunk_ids,
        },
    )


def _chunk(number: int, cut: Cut, scope: dict[str, Any]) -> Chunk:
    return Chunk(
        chunk_id=uuid4().hex,
        dag_run_id=scope["dag_run_id"],
        operation=scope["operation"],
        type_campaign=cut.type_campaign,
        campaign_id=cut.campaign_id,
        number=number,
        records=cut.size,
    )
