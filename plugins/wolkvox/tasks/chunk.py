"""The task ``codify``: one chunk, sent through a slot of the token, and its tally."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Protocol

from wolkvox.ledger.connection import Connection, connect, connected
from wolkvox.ledger.quota import BlockQuota
from wolkvox.ledger.reports import Tally, tally
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.staging import Chunk
from wolkvox.rules.answers import Answer
from wolkvox.rules.records import Record
from wolkvox.tasks.codify import Progress, codify
from wolkvox.tasks.task import Task, Wolkvox, quota_rules, slot_rules

log = logging.getLogger(__name__)


class Meter(Protocol):
    """Whatever counts what a task does while it does it."""

    def timed(self, send: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        """``send``, with each call timed."""

    def report(self, progress: Progress) -> None:
        """Take note of how far it is."""

    def finish(self) -> None:
        """Nothing comes any more."""


def codify_chunk(task: Task, wolkvox: Wolkvox, chunk: Chunk, meter: Meter) -> dict[str, Any]:
    """Send a chunk's pending records; its tally, counted from the ledger."""
    with connected(task.ledger_conn_id, task.stop) as ledger:
        seconds, campaigns = _seconds_left(ledger, chunk)
    if seconds > 0:
        progress = _send(task, wolkvox, chunk, meter, seconds)
    else:
        progress = Progress(total=chunk.records, started=monotonic(), stopped="time")
    with connected(task.ledger_conn_id, task.stop) as ledger:
        return describe_chunk(chunk, campaigns, tally(ledger, chunk.dag_run_id, chunk.chunk_id), progress)


def _seconds_left(ledger: Connection, chunk: Chunk) -> tuple[float, int]:
    """How long the chunk may be sent yet, by the ledger's clock, and how many campaigns it holds records of."""
    row = ledger.execute(
        "SELECT extract(epoch FROM %s::timestamptz - clock_timestamp())::float,"
        " (SELECT count(DISTINCT (type_campaign, campaign_id)) FROM wolkvox.codification"
        " WHERE dag_run_id = %s AND chunk_id = %s)",
        (chunk.until, chunk.dag_run_id, chunk.chunk_id),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _send(task: Task, wolkvox: Wolkvox, chunk: Chunk, meter: Meter, seconds: float) -> Progress:
    rules = slot_rules(wolkvox.settings, min(task.slot_patience, seconds))
    deadline = monotonic() + seconds

    def tell(progress: Progress) -> None:
        report(progress)
        meter.report(progress)

    with ChunkSession(
        lambda: connect(task.ledger_conn_id, task.stop),
        chunk,
        rules,
        task.holder,
        task.stop,
        identity=wolkvox.settings.identity,
        patience=task.patience,
    ) as session:
        quota = BlockQuota(session.run, session.run(partial(quota_rules, settings=wolkvox.settings)), chunk.records)
        try:
            return codify(
                ledger=session,
                send=meter.timed(wolkvox.codify),
                quota=quota,
                stop=task.stop,
                patience=task.patience,
                seconds=deadline - monotonic(),
                report=tell,
            )
        finally:
            meter.finish()
            quota.close()


def report(progress: Progress) -> None:
    """Log how far a chunk is."""
    seconds = monotonic() - progress.started
    rate = progress.done / seconds if seconds > 0 else 0.0
    left = f"about {(progress.total - progress.done) / rate:.0f} s" if rate else "not known how long"
    states = ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items())) or "none yet"
    put_off = f", {progress.put_off} put off" if progress.put_off else ""
    unknown = f" ({progress.unknown} with an unknown outcome)" if progress.unknown else ""
    log.info(
        "%d of %d records done, %.1f a second, %s left; %s%s%s",
        progress.done,
        progress.total,
        rate,
        left,
        states,
        put_off,
        unknown,
    )


def describe_chunk(chunk: Chunk, campaigns: int, counted: Tally, progress: Progress) -> dict[str, Any]:
    """A chunk's XCom: states from the ledger, calls and seconds of this attempt."""
    states = ("coded", "rejected", "failed", "pending")
    return {
        "chunk": chunk.number,
        "chunk_id": chunk.chunk_id,
        "records": chunk.records,
        "campaigns": campaigns,
        **{state: counted.states[state] for state in states},
        "unknown": counted.unknown,
        "resent": counted.resent,
        "calls": progress.calls,
        "seconds": round(monotonic() - progress.started, 1),
        "seconds_per_call": round(progress.call_seconds / progress.calls, 4) if progress.calls else None,
        "stopped": progress.stopped,
    }
