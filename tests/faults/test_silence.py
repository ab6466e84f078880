"""A ledger that says nothing for longer than a task is patient: nothing is sent meanwhile, nothing is lost."""

from __future__ import annotations

import time

import pytest
from conftest import Database
from crew import Crew, connect, fill, sent_again, stage, states, wait_until
from sandbox_server import SandboxServer
from wire import Wire

SILENCE = 200.0  # seconds


@pytest.mark.minutes
def test_two_hundred_silent_seconds_cost_a_red_run_and_nothing_else(
    wire: Wire, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=2.0)
    sandbox.control(latency=0.01)
    fill(warehouse, 600)
    workers = [crew.codify(chunk) for chunk in stage(chunk_size=300)[0]]
    wait_until(lambda: sandbox.stats()["coded"] > 60)
    wire.fall_silent()
    began = time.monotonic()
    wait_until(lambda: not any(worker.process.is_alive() for worker in workers), 150.0)
    took = time.monotonic() - began
    results = [worker.result() for worker in workers]
    print(f"\ngave up after {took:.1f} s")
    assert 110.0 <= took <= 130.0
    assert {(result["ended"], result["error"]) for result in results} == {("retry", "LedgerUnavailable")}
    time.sleep(max(0.0, SILENCE - took))
    wire.cut()
    wire.speak()
    for chunk in stage("next")[0]:
        crew.codify(chunk).tally(120.0)
    for chunk in stage("last")[0]:
        crew.codify(chunk).tally(120.0)
    stats = sandbox.stats()
    assert (states(ledger), stats["peak_in_flight"]) == ({"coded": 600}, 2)
    assert sent_again(stats) <= 2, "one for each slot: the answer in hand couldn't be written"
