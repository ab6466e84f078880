"""The task ``stage``: a window's contacts into the ledger, and what this run sends into chunks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.errors import BadToken, Stopped
from wolkvox.ledger.connection import Connection, connected
from wolkvox.ledger.exports import Settled
from wolkvox.ledger.faults import Outage, begin_outage, outage
from wolkvox.ledger.reports import GUESSED_CALL, seconds_per_call
from wolkvox.ledger.runs import begin_run, register_dag
from wolkvox.ledger.staging import Allowance, Chunk, Pace, Resend, Staged, stage
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.options import RunOptions
from wolkvox.rules.protection import Protection, protected
from wolkvox.rules.window import Window
from wolkvox.stop import Stop
from wolkvox.tasks.asking import Asking
from wolkvox.tasks.exports import settle_by_exports
from wolkvox.tasks.preflight import calls_left, disposition_codes, look_at_campaigns
from wolkvox.tasks.task import Task, Wolkvox, run_of

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Beyond:
    """Counts contacts that claim to be of after their window's end: read in another zone than they were written in."""

    end: datetime
    rows: int = 0

    def watch(self, contacts: Iterable[Contact], stop: Stop) -> Iterator[Contact]:
        """The contacts, until told to stop: nothing of them is kept then.

        :raises Stopped: when ``stop`` was set
        """
        for contact in contacts:
            if stop.is_set():
                raise Stopped("Told to stop while contacts were pulled: none of this pull's are kept.")
            if contact.contacted_at is not None and contact.contacted_at >= self.end:
                self.rows += 1
            yield contact


@dataclass(frozen=True, slots=True)
class Source:
    """
    What is staged: rows of the warehouse, ``zone`` being that of a moment without one.

    ``seconds``: how long the run may send. ``by_hand``: somebody waits for it, so an outage is tried at once.
    ``protection``: rules by which customers must not be dialled for a while.
    """

    rows: Iterable[Sequence[Any]]
    zone: str
    expire_after: timedelta
    seconds: float
    by_hand: bool = False
    protection: Protection | None = None


def stage_run(
    task: Task, wolkvox: Wolkvox, source: Source, window: Window, options: RunOptions, most_chunks: int
) -> tuple[list[Chunk], dict[str, Any]]:
    """Pull a window's contacts into the ledger; the run's chunks and the counts for its summary."""
    run, zone = run_of(task, wolkvox.settings), ZoneInfo(source.zone)
    with connected(task.ledger_conn_id, task.stop) as ledger:
        if not options.dry_run:
            begin_run(ledger, run, window)
            register_dag(ledger, run, wolkvox.settings.conn_id)
        pace = Pace(source.seconds, seconds_per_call(ledger, run.operation) or GUESSED_CALL)
        known = outage(ledger, run.operation, wolkvox.settings.identity)
        beyond, settled = _Beyond(window.end), Counter(asdict(Settled()))
        read = (read_contact(row, operation=run.operation, zone=zone) for row in source.rows)
        wanted = _wanted(beyond.watch(read, task.stop), options.customer_id)
        staged = stage(
            ledger,
            wanted if source.protection is None else protected(wanted, source.protection),
            run=run,
            ask=_asker(task, ledger, wolkvox, options, known, settled, seconds=source.seconds, by_hand=source.by_hand),
            pace=pace,
            expire_after=source.expire_after,
            most_chunks=most_chunks,
            patience=task.patience,
            resend=Resend(options.resend, window.start, window.end) if options.resend else None,
            customer_id=options.customer_id,
            keep=not options.dry_run,
        )
    if beyond.rows:
        log.warning(
            "%d contacts are of after the window's end: contacted_at is in another zone than %s, and lags are wrong by"
            " the difference. Correct the query, or the operator's timezone.",
            beyond.rows,
            source.zone,
        )
    counts = describe_stage(staged, pace, window, options, known)
    return staged.chunks, {**counts, **settled, "beyond_window": beyond.rows}


def _wanted(contacts: Iterable[Contact], customer_id: str | None) -> Iterable[Contact]:
    """All contacts, or those of the one customer that is asked for."""
    if customer_id is None:
        return contacts
    return (contact for contact in contacts if contact.customer_id == customer_id)


def _asker(
    task: Task,
    ledger: Connection,
    wolkvox: Wolkvox,
    options: RunOptions,
    known: Outage | None,
    settled: Counter[str],
    *,
    seconds: float,
    by_hand: bool,
) -> Callable[[], Allowance]:
    """
    What tells staging how much may be sent now: outages, the day's calls, the run's limit, the operation's codes.

    :param settled: counts what campaigns' exports settled meanwhile
    """

    def ask() -> Allowance:
        if options.dry_run:
            return Allowance(options.limit)
        if known is not None:
            return Allowance(options.limit, outage=True, probe=known.over or by_hand)
        asking = Asking.of(task, wolkvox.settings, ledger)
        try:
            codes = disposition_codes(asking, wolkvox)
            left = calls_left(asking, wolkvox).left
            if left != 0:
                look_at_campaigns(asking, wolkvox, by_hand=by_hand)
                found = settle_by_exports(asking, wolkvox, run_of(task, wolkvox.settings), seconds)
                settled.update(asdict(found))
        except BadToken as error:
            _note_outage(task, ledger, wolkvox, error)
            raise
        numbers = [number for number in (left, options.limit) if number is not None]
        return Allowance(min(numbers, default=None), codes)

    return ask


def _note_outage(task: Task, ledger: Connection, wolkvox: Wolkvox, error: BadToken) -> None:
    """The next runs know, and try with one call."""
    run = task.holder.dag_id, task.holder.dag_run_id
    operation, identity = wolkvox.settings.operation, wolkvox.settings.identity
    begin_outage(ledger, operation, identity, run, "bad_token", str(error), task.patience)


def describe_stage(
    staged: Staged, pace: Pace, window: Window, options: RunOptions, known: Outage | None
) -> dict[str, Any]:
    """The counts of staging; ``expected_minutes`` at the pace of the last calls in two slots."""
    return {
        **staged.counts(),
        "chunks": len(staged.chunks),
        "chunk_ids": [chunk.chunk_id for chunk in staged.chunks],
        "expected_minutes": round(staged.records * pace.seconds_per_call / SLOTS / 60, 1),
        "run_minutes": round(pace.seconds / 60, 2),
        "window_start": window.start.isoformat(),
        "window_end": window.end.isoformat(),
        "dry_run": options.dry_run,
        "stopped": "outage" if known else None,
    }
