"""The task ``codify``: one worker, which sends through a slot of the token, and its tally."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Protocol

from wolkvox.ledger.connection import connect, connected
from wolkvox.ledger.quota import BlockQuota
from wolkvox.ledger.reports import Tally, tally
from wolkvox.ledger.sending import ChunkSession
from wolkvox.rules.answers import Answer
from wolkvox.rules.records import Record
from wolkvox.rules.runs import Chunk
from wolkvox.rules.states import ANSWERED, State
from wolkvox.tasks.codify import codify
from wolkvox.tasks.task import Task, Wolkvox, lease_rules, register_token
from wolkvox.tasks.worker import Allotment, Progress

log = logging.getLogger(__name__)


class Meter(Protocol):
    """Counts what a task does while it does it."""

    def timed(self, send: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        """Return ``send``, with each request timed."""

    def report(self, progress: Progress) -> None:
        """Note how far the task is."""

    def finish(self) -> None:
        """Count no more."""


def codify_chunk(task: Task, wolkvox: Wolkvox, chunk: Chunk, meter: Meter, linger: float = 0.0) -> dict[str, Any]:
    """
    Send what waits, the newest first, up to the chunk's allotment; return the tally, counted from the ledger.

    :param linger: seconds to wait for more when nothing is left
    """
    wolkvox.prepare()
    progress = _send(task, wolkvox, chunk, meter, linger)
    with connected(task.ledger_conn_id, task.stop) as ledger:
        return describe_chunk(chunk, tally(ledger, chunk.dag_run_id, chunk.chunk_id), progress)


def _send(task: Task, wolkvox: Wolkvox, chunk: Chunk, meter: Meter, linger: float) -> Progress:
    rules = lease_rules(wolkvox.settings, task.lease_timeout)

    def report_both(progress: Progress) -> None:
        report(progress)
        meter.report(progress)

    with ChunkSession(
        lambda: connect(task.ledger_conn_id, task.stop),
        chunk,
        rules,
        task.owner,
        task.stop,
        identity=wolkvox.settings.identity,
        retry_policy=task.retry_policy,
        exports=wolkvox.settings.export_from is not None,
    ) as session:
        quota = BlockQuota(session.run, session.run(partial(register_token, settings=wolkvox.settings)), chunk.records)
        try:
            return codify(
                ledger=session,
                send=meter.timed(wolkvox.codify),
                quota=quota,
                stop=task.stop,
                retry_policy=task.retry_policy,
                allotment=Allotment(chunk.records, session.seconds, linger),
                report=report_both,
            )
        finally:
            meter.finish()
            quota.close()


def report(progress: Progress) -> None:
    """Log how far a worker is."""
    seconds = monotonic() - progress.started
    states = ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items())) or "none yet"
    deferred = f", {progress.deferred} deferred" if progress.deferred else ""
    unknown = f" ({progress.unknown} with an unknown outcome)" if progress.unknown else ""
    log.info(
        "%d records done in %.0f s, %.1f a second; %s%s%s",
        progress.done,
        seconds,
        progress.done / seconds if seconds > 0 else 0.0,
        states,
        deferred,
        unknown,
    )


def describe_chunk(chunk: Chunk, counted: Tally, progress: Progress) -> dict[str, Any]:
    """Return a chunk's XCom: states from the ledger, requests and seconds of this attempt."""
    return {
        "chunk": chunk.number,
        "chunk_id": chunk.chunk_id,
        "records": counted.total,
        "campaigns": counted.campaigns,
        **{state.value: counted.states[state] for state in (*ANSWERED, State.PENDING)},
        "unknown": counted.unknown,
        "resent": counted.resent,
        "requests": progress.requests,
        "seconds": round(monotonic() - progress.started, 1),
        "seconds_per_request": round(progress.seconds_per_request, 4) if progress.requests else None,
        "stopped": progress.stopped,
    }
