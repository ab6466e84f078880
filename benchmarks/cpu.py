"""CPU per record: process time of two codify tasks on the 20 ms server, ledger included, and where it goes."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from statistics import median

from sandbox_server import SandboxServer

from benchmarks import workers
from benchmarks.contacts import staged_chunks
from benchmarks.figure import Figure
from benchmarks.place import Place
from benchmarks.sending import reset, send_bare, send_ours

LATENCY = 0.02  # seconds a call


def measure(place: Place) -> list[Figure]:
    """Milliseconds of process time per record; the parts come from tasks that do that part alone."""
    count = place.pick(1_000, 300)
    bare: list[float] = []
    whole: list[float] = []
    alone: dict[str, list[float]] = {"http": [], "ledger": []}
    with SandboxServer() as sandbox:
        for _ in range(place.pick(3, 1)):
            bare.append(_milliseconds(send_bare(sandbox, count, LATENCY), count))
            whole.append(_milliseconds(send_ours(place, sandbox, count, LATENCY), count))
            for part, figures in alone.items():
                figures.append(_milliseconds(_part(place, sandbox, count, part), count))
    parts = {part: median(figures) for part, figures in alone.items()}
    parts["rest"] = median(whole) - sum(parts.values())
    return [
        Figure(
            "CPU per record",
            median(whole),
            "ms",
            1.2,
            at_most=True,
            details={"records": count, **parts, "bare_loop": median(bare)},
        )
    ]


def _milliseconds(outcome: workers.Outcome, count: int) -> float:
    return sum(float(said["cpu"]) for said in outcome.said) / count * 1000


def _part(place: Place, sandbox: SandboxServer, count: int, part: str) -> workers.Outcome:
    """Two processes that only call, or only write the ledger at the same pace."""
    reset(sandbox, LATENCY)
    os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection()
    with place.ledger() as ledger:
        chunks = staged_chunks(ledger, count)
        return workers.run([workers.module("part_worker", part, json.dumps(asdict(chunk))) for chunk in chunks])
