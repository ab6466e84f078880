"""The task ``stage``: a window's contacts into the ledger, and as many chunks as what waits asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.errors import BadSetting, BadToken, Stopped
from wolkvox.ledger import exports
from wolkvox.ledger.breaker import Breaker, OpenBreaker, forget_other_outages, open_breaker, outage
from wolkvox.ledger.claiming import Wanted, claim, retire
from wolkvox.ledger.connection import Connection, connected, now_of
from wolkvox.ledger.customers import customer_of
from wolkvox.ledger.holds import decide_overdue, hold_unusual, release_customer
from wolkvox.ledger.reports import GUESSED_REQUEST, seconds_per_request
from wolkvox.ledger.runs import begin_run, register_dag
from wolkvox.ledger.staging import Staged, load
from wolkvox.ledger.watch import other_operations
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.guard import HOUR, Guard
from wolkvox.rules.options import RunOptions
from wolkvox.rules.protection import Protection, protected
from wolkvox.rules.runs import Allowance, Chunk, Resend, Run
from wolkvox.rules.window import Window
from wolkvox.stop import STOPPED_PULLING, Stop
from wolkvox.tasks.exports import settle_by_exports
from wolkvox.tasks.future import FutureContact, future_contact
from wolkvox.tasks.permits import VendorClient
from wolkvox.tasks.preflight import agree_on_limit, disposition_codes, look_at_campaigns, requests_left
from wolkvox.tasks.preview import describe_preview
from wolkvox.tasks.task import Task, Wolkvox, run_of
from wolkvox.tasks.watch import Staging, Watched, begin

log = logging.getLogger(__name__)


@dataclass(slots=True)
class FutureRowCounter:
    """Counts contacts with a timestamp after their window's end: they are read in another zone than their own."""

    end: datetime
    rows: int = 0

    def counted(self, contacts: Iterable[Contact], stop: Stop) -> Iterator[Contact]:
        """
        Yield the contacts, until the task is to stop: none of them is kept then.

        :raises Stopped: when ``stop`` was set
        """
        for contact in contacts:
            if stop.is_set():
                raise Stopped(STOPPED_PULLING)
            if contact.contacted_at is not None and contact.contacted_at >= self.end:
                self.rows += 1
            yield contact

    def warn(self, zone: str) -> None:
        """Log that there were any."""
        if self.rows:
            log.warning(
                "%d contacts are of after the window's end: contacted_at is in another zone than %s, and lags are wrong"
                " by the difference. Correct the query, or the operator's warehouse_timezone.",
                self.rows,
                zone,
            )


@dataclass(frozen=True, slots=True)
class Source:
    """
    What is staged: rows of the warehouse, ``zone`` being that of a timestamp without one.

    ``seconds``: how long a worker may send. ``by_hand``: somebody waits for it, so an outage is tried at once.
    ``protection``: rules by which customers must not be dialled for a while. ``began_by``: one of
    ``rules.options.BEGAN_BY``. ``watched``: what the DAG's trigger watches. ``future_contact``: asks for a contact of
    the hours after a time. ``placeholders``: ids that stand for nobody. ``is_built_in``: no file of operations was
    deployed. ``secret``: that of anonymous customers. ``guard``: from where on what comes in is held; None: never.
    """

    rows: Iterable[Sequence[Any]]
    zone: str
    expire_after: timedelta
    seconds: float
    by_hand: bool = False
    protection: Protection | None = None
    began_by: str = "other"
    watched: Watched = field(default_factory=Watched)
    future_contact: FutureContact = lambda now: None
    is_built_in: bool = False
    placeholders: Collection[str] = ()
    secret: Callable[[], str | None] = lambda: None
    guard: Guard | None = None


def stage_run(
    task: Task, wolkvox: Wolkvox, source: Source, window: Window, options: RunOptions, most_chunks: int
) -> tuple[list[Chunk], dict[str, Any]]:
    """
    Pull a window's contacts into the ledger; return the run's chunks and the counts for its summary.

    The contacts are durable before wolkvox is asked anything, so that nothing is lost when it doesn't answer.

    :raises BadToken: wolkvox refused the token; what was pulled is in the ledger
    """
    run = run_of(task, wolkvox.settings)
    future, settled = FutureRowCounter(window.end), exports.SettledByExports()
    with connected(task.ledger_conn_id, task.stop) as ledger:
        options = _with_customer(ledger, run.operation, options)
        staging = None if options.dry_run else _begin(ledger, run, wolkvox, source, window, options)
        contacts = _contacts(source, future.counted(_read(source, run), task.stop), options.customer_id)
        with ledger.transaction(force_rollback=True) if options.dry_run else nullcontext():
            staged = _load(ledger, contacts, run, source, window, options)
            breaker = outage(ledger, run.operation, wolkvox.settings.identity)
            allowance = Allowance() if options.dry_run else _allowance(task, ledger, wolkvox, source, breaker)
            wanted = _claimed(wolkvox, source, window, options, most_chunks)
            if not options.dry_run:
                settled = _settle(task, ledger, wolkvox, staged, allowance, wanted)
            claim(ledger, run, staged, allowance, wanted)
            preview = describe_preview(ledger, wolkvox.settings, run, staged) if options.dry_run else None
        pace = seconds_per_request(ledger, run.operation) or GUESSED_REQUEST
        counts = describe_stage(staged, pace, source, window, options, breaker)
        ended = _end(ledger, run, source, staging, staged)
    future.warn(source.zone)
    counts |= {**asdict(settled), **ended, "beyond_window": future.rows}
    return staged.chunks, counts if preview is None else {**counts, "preview": preview}


def _begin(
    ledger: Connection, run: Run, wolkvox: Wolkvox, source: Source, window: Window, options: RunOptions
) -> Staging:
    """Note that a run begins, with its settings; call it before the pull."""
    begin_run(ledger, run, window, source.began_by)
    register_dag(ledger, run, wolkvox.settings.conn_id)
    agree_on_limit(ledger, run.dag_id, wolkvox.settings)
    forget_other_outages(ledger, run.operation, wolkvox.settings.identity)
    if source.guard is not None:
        decide_overdue(ledger, run.operation, source.guard)
    return begin(ledger, run.dag_id, source.watched, options, window.end)


def _read(source: Source, run: Run) -> Iterator[Contact]:
    zone = ZoneInfo(source.zone)
    for row in source.rows:
        yield read_contact(row, operation=run.operation, zone=zone, placeholders=source.placeholders)


def _contacts(source: Source, contacts: Iterable[Contact], customer_id: str | None) -> Iterable[Contact]:
    """Return all contacts, or those of the one customer that is asked for, each with its protection."""
    if customer_id is not None:
        contacts = (contact for contact in contacts if contact.customer_id == customer_id)
    return contacts if source.protection is None else protected(contacts, source.protection)


def _load(
    ledger: Connection, contacts: Iterable[Contact], run: Run, source: Source, window: Window, options: RunOptions
) -> Staged:
    """
    Write the contacts into the ledger, and hold what is unusual before any worker can see it.

    One customer for whom a person asks is never held.
    """
    if options.customer_id is not None:
        staged = load(ledger, contacts, run, source.secret)
        release_customer(ledger, run, options.customer_id)
        return staged
    with ledger.transaction():
        staged = load(ledger, contacts, run, source.secret)
        if source.guard is not None:
            asked = window.end - window.start if options.window_start else HOUR
            hold_unusual(ledger, run, staged, source.guard, asked)
    return staged


def _end(ledger: Connection, run: Run, source: Source, staging: Staging | None, staged: Staged) -> dict[str, Any]:
    """Note that the stage ended; return where the run came from, and what is checked now and then."""
    if staging:
        staging.end(ledger, fruitful=staged.new > 0 or bool(staged.chunks))
    due = staging is not None and staging.is_first_of_hour
    return {
        "began_by": source.began_by,
        "poll_age": staging and staging.poll_age,
        "lost_operations": other_operations(ledger, run.dag_id) if source.is_built_in else [],
        "future_contact": future_contact(ledger, run, source.future_contact, source.zone, due=due),
        "warehouse_zone": source.zone,
    }


def _allowance(
    task: Task, ledger: Connection, wolkvox: Wolkvox, source: Source, breaker: OpenBreaker | None
) -> Allowance:
    """
    Return what may be sent, as the circuit breaker and wolkvox say.

    :raises BadToken: the run can't succeed, and the next ones know
    """
    if breaker is not None:
        return Allowance(outage=True, trial=breaker.over or source.by_hand)
    return _ask(task, ledger, wolkvox, source)


def _claimed(wolkvox: Wolkvox, source: Source, window: Window, options: RunOptions, most_chunks: int) -> Wanted:
    return Wanted(
        source.expire_after,
        source.seconds,
        most_chunks,
        options.limit,
        options.customer_id,
        Resend(options.resend, window.start, window.end) if options.resend else None,
        source.by_hand,
        wolkvox.settings.fingerprint,
    )


def _with_customer(ledger: Connection, operation: str, options: RunOptions) -> RunOptions:
    """The options with the customer's id, where the number of a record stands for it."""
    record = options.customer_record
    if record is None:
        return options
    customer_id = customer_of(ledger, operation, record)
    if customer_id is None:
        raise BadSetting(f"customer_id: the ledger has no record {record} of this operation that names a customer.")
    return replace(options, customer_id=customer_id)


def _ask(task: Task, ledger: Connection, wolkvox: Wolkvox, source: Source) -> Allowance:
    """
    Ask wolkvox what may be sent: its codes, the day's requests, its campaigns.

    :raises BadToken: the run can't succeed, and the next ones know
    """
    client = VendorClient.of(task, wolkvox.settings, ledger)
    try:
        codes = disposition_codes(client, wolkvox)
        quota = requests_left(client, wolkvox)
        if quota.left == 0:
            return Allowance(0, codes, quiet_seconds=_quiet_seconds(ledger, client))
        look_at_campaigns(client, wolkvox, by_hand=source.by_hand)
        return Allowance(quota.left, codes)
    except BadToken as error:
        _note_outage(task, ledger, wolkvox, error)
        raise


def _settle(
    task: Task, ledger: Connection, wolkvox: Wolkvox, staged: Staged, allowance: Allowance, wanted: Wanted
) -> exports.SettledByExports:
    """
    Settle what needs no request by what wolkvox has, after what isn't sent any more has retired.

    Whoever asks for one customer waits for no campaign's export.
    """
    nothing_is_sent = allowance.outage or allowance.left == 0
    if wolkvox.settings.export_from is None or nothing_is_sent or wanted.customer_id is not None:
        return exports.SettledByExports()
    run = run_of(task, wolkvox.settings)
    retire(ledger, run, staged, allowance, wanted)
    return settle_by_exports(VendorClient.of(task, wolkvox.settings, ledger), wolkvox, run, wanted.seconds)


def _quiet_seconds(ledger: Connection, client: VendorClient) -> float:
    """Return the seconds for which the day has no requests left."""
    now = now_of(ledger)
    return (client.quota.resets_at(now) - now).total_seconds()


def _note_outage(task: Task, ledger: Connection, wolkvox: Wolkvox, error: BadToken) -> None:
    """Open the circuit breaker: the next runs try with one request."""
    run, settings = (task.owner.dag_id, task.owner.dag_run_id), wolkvox.settings
    breaker = Breaker(settings.operation, settings.identity, run, task.retry_policy)
    open_breaker(ledger, breaker, "bad_token", str(error))


def describe_stage(
    staged: Staged, pace: float, source: Source, window: Window, options: RunOptions, breaker: OpenBreaker | None
) -> dict[str, Any]:
    """Return the counts of staging; ``expected_minutes`` with two requests at a time of ``pace`` seconds each."""
    return {
        **staged.counts(),
        "chunks": len(staged.chunks),
        "chunk_ids": [chunk.chunk_id for chunk in staged.chunks],
        "expected_minutes": round(staged.records * pace / SLOTS / 60, 1),
        "run_minutes": round(source.seconds / 60, 2),
        "window_start": window.start.isoformat(),
        "window_end": window.end.isoformat(),
        "window_cut": window.cut,
        "dry_run": options.dry_run,
        "stopped": "outage" if breaker else None,
    }
