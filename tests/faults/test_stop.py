"""Told to stop (SIGTERM), a task ends after the call in flight, with exact counts."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from time import monotonic

import pytest
from conftest import Database
from contact_rows import NOON
from crew import ZONE, Crew, Worker, connect, fill, stage, states, task, wait_until
from sandbox_server import SandboxServer

from wolkvox.errors import Stopped
from wolkvox.hook import WolkvoxHook
from wolkvox.rules.options import read_options
from wolkvox.rules.runs import Chunk
from wolkvox.rules.window import Window
from wolkvox.tasks.stage import Source, stage_run

PROMPTLY = 5.0  # seconds


def in_call(crew: Crew, chunk: Chunk, ledger: Database, customer: str) -> Worker:
    """A worker that is just sending this customer's record."""
    worker = crew.codify(chunk)
    sending = "SELECT count(*) FROM wolkvox.codification WHERE state = 'sending' AND customer_id = %s"
    wait_until(lambda: ledger.value(sending, customer))
    return worker


def test_the_call_in_flight_is_the_last_one_and_is_settled(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(
        faults={"customer-5": [{"kind": "truncated"}], "customer-11": [{"kind": "slow", "seconds": 3.0}]},
    )
    fill(warehouse, 20)
    chunk, _ = stage()[0]
    worker = in_call(crew, chunk, ledger, "customer-11")
    worker.terminate()
    result = worker.result()
    assert (result["ended"], result["error"]) == ("retry", "Stopped")
    assert result["message"] == (
        "Told to stop: 11 records sent (1 of them with an unknown outcome); all others are still pending."
    )
    assert result["message"] in worker.log()
    assert states(ledger) == {"coded": 10, "pending": 10}
    assert sandbox.stats()["calls"] == 11
    assert ledger.value("SELECT requests FROM wolkvox.quota") == 11
    assert crew.codify(chunk, try_number=2).tally()["requests"] == 9


def test_told_to_stop_while_it_waits_to_try_again_a_task_ends_promptly(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    later = {"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}}
    sandbox.control(faults={"customer-2": [later], "customer-3": [later]})
    fill(warehouse, 4)
    worker = crew.codify(stage()[0][0])
    wait_until(lambda: ledger.value("SELECT count(*) = 2 FROM wolkvox.codification WHERE reason = 'overloaded_429'"))
    began = monotonic()
    worker.terminate()
    assert worker.result()["message"].startswith("Told to stop: 3 records sent (0 of them with an unknown outcome)")
    assert monotonic() - began < PROMPTLY
    assert states(ledger) == {"coded": 1, "pending": 3}


def test_told_to_stop_while_it_waits_for_a_dead_tasks_call_it_ends_promptly(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=30)
    sandbox.control(faults={"customer-1": [{"kind": "slow", "seconds": 5.0}]})
    fill(warehouse, 1)
    chunk = stage()[0][0]
    first = in_call(crew, chunk, ledger, "customer-1")
    wait_until(lambda: sandbox.stats()["in_flight"] == 1)
    first.kill()
    successor = crew.codify(chunk, try_number=2)
    wait_until(lambda: "Waiting up to 30 s for the end of a request" in successor.log())
    began = monotonic()
    successor.terminate()
    result = successor.result()
    assert (result["error"], monotonic() - began < PROMPTLY) == ("Stopped", True)
    assert states(ledger) == {"sending": 1}
    assert sandbox.stats()["calls"] == 1


def test_a_stage_that_is_told_to_stop_while_it_pulls_ends_and_keeps_nothing(
    ledger: Database, sandbox: SandboxServer
) -> None:
    told = task()

    def rows() -> Iterator[tuple[object, ...]]:
        """A warehouse that goes on and on."""
        for number in count():
            if number == 100:
                told.stop.set()
            yield ("preview", "17", number, "5", None, None, NOON)

    source = Source(rows(), ZONE, timedelta(days=36_500), 60.0)
    with WolkvoxHook() as wolkvox, pytest.raises(Stopped, match="none of this pull's are kept"):
        stage_run(told, wolkvox, source, Window(NOON, NOON + timedelta(days=1)), read_options({}, ZONE), 1_000)
    assert states(ledger) == {}
