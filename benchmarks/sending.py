"""Send so many records with two workers, ours or bare ones, and count what the sandbox saw."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from urllib.parse import urlsplit

from sandbox_server import SandboxServer

from benchmarks import workers
from benchmarks.contacts import staged_chunks
from benchmarks.figure import BrokenMeasurement
from benchmarks.place import Place


def reset(sandbox: SandboxServer, latency: float) -> None:
    """A sandbox that has seen nothing, with quota for everything."""
    sandbox.reset()
    sandbox.control(latency=latency, licenses=1_000)


def check(sandbox: SandboxServer, count: int) -> None:
    """See that each record was coded, by one call."""
    stats = sandbox.stats()
    if not stats["coded"] == stats["codify_calls"] == count:
        raise BrokenMeasurement(f"{stats['coded']} of {count} records coded in {stats['codify_calls']} requests")


def send_bare(sandbox: SandboxServer, count: int, latency: float) -> workers.Outcome:
    """The ceiling on this machine: two bare keep-alive loops."""
    reset(sandbox, latency)
    half = count // 2
    address = urlsplit(sandbox.url).netloc
    outcome = workers.run(
        [
            workers.module("bare_worker", address, sandbox.token, str(first), str(size))
            for first, size in ((0, half), (half, count - half))
        ]
    )
    check(sandbox, count)
    return outcome


def send_ours(
    place: Place, sandbox: SandboxServer, count: int, latency: float, worker: str = "our_worker"
) -> workers.Outcome:
    """Two codify tasks' work, ledger included; the chunks are staged before the clock starts."""
    reset(sandbox, latency)
    os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection()
    with place.ledger() as ledger:
        chunks = staged_chunks(ledger, count)
        outcome = workers.run([workers.module(worker, json.dumps(asdict(chunk))) for chunk in chunks])
        settled = ledger.value("SELECT count(*) FROM wolkvox.codification WHERE state = 'coded'")
    check(sandbox, count)
    if settled != count:
        raise BrokenMeasurement(f"the ledger has {settled} of {count} records coded")
    return outcome
