"""CPU per record: process time of two codify tasks on the 20 ms server, ledger included, and where it goes."""

from __future__ import annotations

from statistics import median

from sandbox_server import SandboxServer

from benchmarks import workers
from benchmarks.figure import Figure
from benchmarks.place import Place
from benchmarks.sending import send_bare, send_ours

LATENCY = 0.02  # seconds a call
PARTS = ("http", "ledger")


def measure(place: Place) -> list[Figure]:
    """Milliseconds of process time per record; the parts are of a task that times its own requests and statements."""
    count = place.pick(1_000, 300)
    bare, whole, timed = [], [], []
    with SandboxServer() as sandbox:
        for _ in range(place.pick(3, 1)):
            bare.append(_milliseconds(send_bare(sandbox, count, LATENCY), "cpu", count))
            whole.append(_milliseconds(send_ours(place, sandbox, count, LATENCY), "cpu", count))
            timed.append(send_ours(place, sandbox, count, LATENCY, worker="cpu_worker"))
    parts = {part: median(_milliseconds(outcome, part, count) for outcome in timed) for part in PARTS}
    parts["rest"] = median(_milliseconds(outcome, "cpu", count) for outcome in timed) - sum(parts.values())
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


def _milliseconds(outcome: workers.Outcome, part: str, count: int) -> float:
    return sum(float(said[part]) for said in outcome.said) / count * 1000
