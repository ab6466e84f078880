"""Bytes that go through XCom, per chunk and per run of two chunks."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import timedelta

from sandbox_server import SandboxServer

from benchmarks.contacts import DAG, RUN, staged_chunks, stopped
from benchmarks.figure import Figure
from benchmarks.place import Place
from benchmarks.sending import reset


def measure(place: Place) -> list[Figure]:
    """References of chunks, their tallies, and the two summaries, as JSON."""
    import pendulum

    from wolkvox.hook import WolkvoxHook
    from wolkvox.ledger.leases import Owner
    from wolkvox.ledger.staging import Staged
    from wolkvox.operators.metrics import ChunkMetrics
    from wolkvox.rules.alerts import Thresholds
    from wolkvox.rules.options import RunOptions
    from wolkvox.rules.retry_policy import RetryPolicy
    from wolkvox.rules.window import choose_window
    from wolkvox.tasks.chunk import codify_chunk
    from wolkvox.tasks.stage import Source, describe_stage
    from wolkvox.tasks.task import Task
    from wolkvox.tasks.verdict import add_up

    count = place.pick(1_000, 100)
    options = RunOptions(None, None, timedelta(hours=24), None, None, False, 0.05, None)
    now = pendulum.now()
    window = choose_window(
        asked_start=None, asked_end=None, interval_start=now, interval_end=now, lookback=options.lookback
    )
    with SandboxServer() as sandbox, place.ledger() as ledger:
        reset(sandbox, 0.0)
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection(licenses=20)
        chunks = staged_chunks(ledger, count)
        staged = Staged(pulled=count, new=count, records=count, chunks=chunks)
        summary = describe_stage(staged, 0.02, Source((), "UTC", timedelta(days=31), 900.0), window, options, None)
        tallies = []
        for chunk in chunks:
            task = Task("wolkvox_ledger", Owner(DAG, RUN, "codify", 1, 1), stopped(), 600.0, RetryPolicy())
            with WolkvoxHook() as wolkvox:
                tallies.append(codify_chunk(task, wolkvox, chunk, ChunkMetrics(chunk.operation)))
        verdict, _ = add_up(task, WolkvoxHook().settings, options, Thresholds(), summary, tallies)
    per_chunk = max(_size(asdict(chunk)) + _size(tally) for chunk, tally in zip(chunks, tallies, strict=True))
    per_run = _size([asdict(chunk) for chunk in chunks]) + sum(map(_size, tallies)) + _size(summary) + _size(verdict)
    return [
        Figure(
            "XCom per chunk",
            per_chunk,
            "bytes",
            1024,
            at_most=True,
            details={"per_run_of_two_chunks": per_run, "summaries": _size(summary) + _size(verdict)},
        )
    ]


def _size(value: object) -> int:
    return len(json.dumps(value))
