"""
What the three tasks of a run do, with the warehouse, the ledger and wolkvox at hand.

Kept apart from the operators so that a DAG file is parsed without loading database drivers and HTTP clients.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from threading import Event
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.connection import Connection, connect, connected
from wolkvox.ledger.figures import count_closed_spans, run_lag
from wolkvox.ledger.quota import BlockQuota, QuotaRules, align
from wolkvox.ledger.reports import Tally, backlog, seconds_per_call, tally
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.slots import Holder, SlotRules
from wolkvox.ledger.staging import Allowance, Chunk, Resend, Staged, stage
from wolkvox.metrics import ChunkMetrics, report_run
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.contacts import read_contact
from wolkvox.rules.options import RunOptions
from wolkvox.rules.spans import shown_spans
from wolkvox.rules.verdict import backlog_gone_at, complaints, failed_ratio, put_in_chunks
from wolkvox.rules.window import Window
from wolkvox.tasks.codify import Patience, Progress, codify
from wolkvox.tasks.preflight import calls_left, disposition_codes
from wolkvox.vendor.settings import Settings
from wolkvox.warehouse import contacted_customers

GUESSED_CALL = 0.5  # seconds a call takes, for a forecast before the first one was made

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """The task instance at work: where it finds things, who it is, when it is to stop."""

    wolkvox_conn_id: str
    ledger_conn_id: str
    holder: Holder
    stop: Event
    slot_patience: float


@dataclass(frozen=True, slots=True)
class Source:
    """Where contacts come from; ``zone`` is that of a moment without one."""

    warehouse_conn_id: str
    sql: str
    zone: str
    expire_after: timedelta


def slot_rules(settings: Settings, patience: float) -> SlotRules:
    """The slots of a connection's token."""
    return SlotRules(settings.fingerprint, settings.operation, settings.call_timeout, patience)


def quota_rules(settings: Settings) -> QuotaRules:
    """The quota of a connection's operation."""
    return QuotaRules(settings.operation, settings.daily_calls, settings.quota_reserve, settings.quota_timezone)


def stage_run(
    task: Task, source: Source, window: Window, options: RunOptions, most_chunks: int
) -> tuple[list[Chunk], dict[str, Any]]:
    """Pull a window's contacts into the ledger; the run's chunks and the counts for its summary."""
    with connected(task.ledger_conn_id) as ledger, WolkvoxHook(task.wolkvox_conn_id) as wolkvox:
        operation, zone = wolkvox.settings.operation, ZoneInfo(source.zone)
        rows = contacted_customers(source.warehouse_conn_id, source.sql, window, source.zone)
        staged = stage(
            ledger,
            (read_contact(row, operation=operation, zone=zone) for row in rows),
            operation=operation,
            dag_run_id=task.holder.dag_run_id,
            ask=_asker(task, ledger, wolkvox, options),
            expire_after=source.expire_after,
            most_chunks=most_chunks,
            resend=Resend(options.resend, window.start, window.end) if options.resend else None,
            keep=not options.dry_run,
        )
        seconds = seconds_per_call(ledger, operation) or GUESSED_CALL
    return staged.chunks, describe_stage(staged, seconds, window, options)


def _asker(task: Task, ledger: Connection, wolkvox: WolkvoxHook, options: RunOptions) -> Callable[[], Allowance]:
    """What tells staging how much may be sent now: the day's calls, the run's limit, the operation's codes."""

    def ask() -> Allowance:
        if options.dry_run:
            return Allowance(options.limit)
        slots, quota = slot_rules(wolkvox.settings, task.slot_patience), quota_rules(wolkvox.settings)
        codes = disposition_codes(ledger, wolkvox, slots, quota, task.holder, task.stop)
        left = calls_left(ledger, wolkvox, slots, quota, task.holder, task.stop).left
        known = [number for number in (left, options.limit) if number is not None]
        return Allowance(min(known, default=None), codes)

    return ask


def describe_stage(staged: Staged, seconds: float, window: Window, options: RunOptions) -> dict[str, Any]:
    """The counts of staging; ``expected_minutes`` at so many ``seconds`` a call in two slots."""
    return {
        **staged.counts(),
        "chunks": len(staged.chunks),
        "expected_minutes": round(staged.records * seconds / SLOTS / 60, 1),
        "window_start": window.start.isoformat(),
        "window_end": window.end.isoformat(),
        "dry_run": options.dry_run,
    }


def codify_chunk(task: Task, chunk: Chunk, patience: Patience) -> dict[str, Any]:
    """Send a chunk's pending records; its tally, counted from the ledger."""
    with WolkvoxHook(task.wolkvox_conn_id) as wolkvox:
        progress = _send(task, chunk, patience, wolkvox)
    with connected(task.ledger_conn_id) as ledger:
        return describe_chunk(chunk, tally(ledger, chunk.dag_run_id, chunk.chunk_id), progress)


def _send(task: Task, chunk: Chunk, patience: Patience, wolkvox: WolkvoxHook) -> Progress:
    rules = slot_rules(wolkvox.settings, task.slot_patience)
    metrics = ChunkMetrics(chunk.type_campaign, chunk.campaign_id)

    def tell(progress: Progress) -> None:
        report(progress)
        metrics.report(progress)

    with ChunkSession(lambda: connect(task.ledger_conn_id), chunk, rules, task.holder, task.stop) as session:
        quota = BlockQuota(session.run, quota_rules(wolkvox.settings), chunk.records)
        try:
            return codify(
                ledger=session,
                send=metrics.timed(wolkvox.codify),
                quota=quota,
                stop=task.stop,
                patience=patience,
                report=tell,
            )
        finally:
            metrics.finish()
            quota.close()


def report(progress: Progress) -> None:
    """Log how far a chunk is."""
    seconds = monotonic() - progress.started
    rate = progress.done / seconds if seconds > 0 else 0.0
    left = f"about {(progress.total - progress.done) / rate:.0f} s" if rate else "not known how long"
    states = ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items())) or "none yet"
    unknown = f" ({progress.unknown} with an unknown outcome)" if progress.unknown else ""
    log.info(
        "%d of %d records done, %.1f a second, %s left; %s%s",
        progress.done,
        progress.total,
        rate,
        left,
        states,
        unknown,
    )


def describe_chunk(chunk: Chunk, counted: Tally, progress: Progress) -> dict[str, Any]:
    """A chunk's XCom: states from the ledger, calls and seconds of this attempt."""
    states = ("coded", "rejected", "failed", "pending")
    return {
        "campaign": f"{chunk.type_campaign} {chunk.campaign_id}",
        "chunk": chunk.number,
        "chunk_id": chunk.chunk_id,
        "records": chunk.records,
        **{state: counted.states[state] for state in states},
        "unknown": counted.unknown,
        "resent": counted.resent,
        "calls": progress.calls,
        "seconds": round(monotonic() - progress.started, 1),
        "seconds_per_call": round(progress.call_seconds / progress.calls, 4) if progress.calls else None,
        "stopped": progress.stopped,
    }


def add_up(
    task: Task, options: RunOptions, staged: Mapping[str, Any] | None, chunks: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    """
    The run's summary, and why it isn't green.

    :param staged: the counts that ``stage_run`` gave, None when it did not finish
    :param chunks: the tallies that ``codify_chunk`` gave
    """
    chunks, now = list(chunks), datetime.now(timezone.utc)
    settings = WolkvoxHook(task.wolkvox_conn_id).settings
    rules = quota_rules(settings)
    with connected(task.ledger_conn_id) as ledger, ledger.transaction(force_rollback=options.dry_run):
        counted = tally(ledger, task.holder.dag_run_id)
        waits = backlog(ledger, settings.operation)
        quota = align(ledger, rules)
        lag = run_lag(ledger, task.holder.dag_run_id)
        count_closed_spans(ledger, settings.operation, shown_spans(now, rules.zone))
    stopped = next((chunk["stopped"] for chunk in chunks if chunk["stopped"]), None)
    if quota.left == 0 and waits.waiting:
        stopped = "quota"
    found = complaints(
        staged=staged,
        states=counted.states,
        stopped=stopped,
        max_failed_ratio=options.max_failed_ratio,
        tasks_failed=0 if staged is None or options.dry_run else max(0, staged["chunks"] - len(chunks)),
    )
    gone = backlog_gone_at(
        waits.waiting,
        left_today=quota.left,
        daily=rules.own_limit,
        now=now,
        resets_at=rules.resets_at(),
    )
    summary = {
        **(staged or {}),
        **{state: counted.states[state] for state in ("coded", "rejected", "failed", "pending", "sending")},
        "unknown": counted.unknown,
        "resent": counted.resent,
        "moved": 0 if options.dry_run else max(0, put_in_chunks(staged or {}) - counted.total),
        "calls": sum(chunk["calls"] for chunk in chunks),
        "failed_ratio": round(failed_ratio(counted.states), 4),
        "stopped": stopped,
        "waiting": waits.waiting,
        "oldest_waiting": waits.oldest and waits.oldest.isoformat(),
        "backlog_gone_at": gone and gone.isoformat(timespec="seconds"),
        "quota_calls": quota.calls,
        "quota_limit": quota.limit,
        "quota_left": quota.left,
        "quota_resets_at": rules.resets_at().isoformat(),
        "lag_p50": lag.p50,
        "lag_p95": lag.p95,
    }
    report_run(summary)
    return summary, found
