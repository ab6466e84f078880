"""Processes that end without a goodbye: nothing lost, at most one record for each killed process sent twice."""

from random import Random

import pytest
from conftest import Database
from crew import Crew, Worker, connect, fill, sent_again, stage, states, wait_until
from sandbox_server import SandboxServer

from wolkvox.rules.runs import Chunk

RECORDS = 2_000
UNHURRIED = 0.03  # seconds a call: the run outlasts the kills by far, however quick the machine
SLOW = {f"customer-{n}": [{"kind": "slow", "seconds": 0.25}] for n in range(10, RECORDS, 40)}


def killed_run(
    chunks: list[Chunk], crew: Crew, sandbox: SandboxServer, kills: int, random: Random, *, together: bool
) -> None:
    """Send two chunks while the processes are killed and started again, ``kills`` times in all."""
    sandbox.control(latency=UNHURRIED, faults=SLOW)
    workers = [crew.codify(chunk) for chunk in chunks]
    killed = 0
    while killed < kills:
        workers[0].process.join(random.uniform(0.0, 1.0))
        for number in (0, 1) if together else (random.randrange(2),):
            assert workers[number].process.exitcode is None, "the run ended before the last kill"
            workers[number].kill()
            killed += 1
            workers[number] = crew.codify(chunks[number], try_number=killed + 1)
    sandbox.control(latency=0.003)
    for worker in workers:
        worker.tally(120.0)


def check_nothing_was_lost(ledger: Database, sandbox: SandboxServer, kills: int) -> None:
    stats = sandbox.stats()
    print(f"{kills} kills: {sent_again(stats)} sent twice, peak {stats['peak_in_flight']}")
    assert states(ledger) == {"coded": RECORDS}
    assert (stats["coded"], len(stats["calls_per_record"])) == (RECORDS, RECORDS)
    assert sent_again(stats) <= kills
    assert stats["peak_in_flight"] == 2
    assert set(stats["calls_by_status"]) <= {"202", "reset"}  # a client that died before its request was whole


def test_twenty_kills_lose_nothing_and_repeat_at_most_one_record_each(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=1.0)
    fill(warehouse, RECORDS)
    chunks, _ = stage()
    killed_run(chunks, crew, sandbox, 20, Random(1), together=False)
    check_nothing_was_lost(ledger, sandbox, 20)


@pytest.mark.minutes
@pytest.mark.parametrize("seed", range(2, 7))
def test_forty_kills_two_by_two(
    seed: int, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=1.0)
    fill(warehouse, RECORDS)
    chunks, _ = stage()
    killed_run(chunks, crew, sandbox, 40, Random(seed), together=True)
    check_nothing_was_lost(ledger, sandbox, 40)


def test_a_call_that_was_in_flight_is_waited_out_and_then_made_again(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=4.0)
    sandbox.control(faults={"customer-9": [{"kind": "slow", "seconds": 2.5}]})
    fill(warehouse, 10)
    chunks, _ = stage()
    workers = [crew.codify(chunk) for chunk in chunks]
    first = in_slow_call(ledger, sandbox, workers)
    workers[first].kill()
    began = ledger.value("SELECT sent_at FROM wolkvox.codification WHERE state = 'sending'")
    again = crew.codify(chunks[first], try_number=2)
    assert again.tally()["resent"] == 1
    assert workers[1 - first].tally()["resent"] == 0
    coded, attempts, seconds = ledger.rows(
        "SELECT state, attempts, extract(epoch FROM sent_at - %s) FROM wolkvox.codification"
        " WHERE customer_id = 'customer-9'",
        began,
    )[0]
    assert (coded, attempts) == ("coded", 2)
    assert 4.0 <= seconds < 8.0
    assert states(ledger) == {"coded": 10}
    assert sandbox.stats()["calls_per_record"]["preview/17/customer-9"] == 2
    assert sandbox.stats()["peak_in_flight"] <= 2


def in_slow_call(ledger: Database, sandbox: SandboxServer, workers: list[Worker]) -> int:
    """Wait until nothing but customer-9 is left to be sent; the number of the worker that sends it."""
    wait_until(lambda: states(ledger) == {"coded": 9, "sending": 1} and sandbox.stats()["in_flight"] == 1)
    pid = ledger.value(
        "SELECT pid FROM wolkvox.slot INNER JOIN wolkvox.codification USING (slot) WHERE state = 'sending'"
    )
    return next(n for n, worker in enumerate(workers) if worker.process.pid == pid)


def test_both_slots_are_orphaned_and_one_task_alone_comes_back(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=4.0)
    sandbox.control(faults={f"customer-{n}": [{"kind": "slow", "seconds": 2.5}] for n in (1, 6)})
    fill(warehouse, 10)
    chunks, _ = stage()
    for chunk in chunks:
        crew.codify(chunk)
    wait_until(lambda: sandbox.stats()["in_flight"] == 2)
    for worker in crew.workers:
        worker.kill()
    assert crew.codify(chunks[0], try_number=2).tally()["coded"] == 10
    stats = sandbox.stats()
    assert states(ledger) == {"coded": 10}
    assert (sent_again(stats), stats["peak_in_flight"]) == (2, 2)


def test_a_successor_in_the_free_slot_ends_with_the_call_that_was_orphaned_in_the_other(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=4.0)
    sandbox.control(faults={"customer-1": [{"kind": "slow", "seconds": 2.5}]})
    fill(warehouse, 10)
    chunk, _ = stage()[0]
    worker = crew.codify(chunk)
    wait_until(lambda: sandbox.stats()["in_flight"] == 1)
    worker.kill()
    again = crew.codify(chunk, try_number=2)
    wait_until(lambda: states(ledger).get("coded") == 9)
    assert ledger.rows("SELECT customer_id, slot LIKE '%%/0' FROM wolkvox.codification WHERE state = 'sending'") == [
        ("customer-1", True)
    ]
    assert again.tally()["coded"] == 10
    assert ledger.value("SELECT slot LIKE '%%/1' FROM wolkvox.codification WHERE customer_id = 'customer-1'")
    assert sandbox.stats()["calls_per_record"]["preview/17/customer-1"] == 2
    assert sandbox.stats()["peak_in_flight"] == 2


def test_what_a_dead_task_sent_under_a_token_of_the_past_is_taken_up_by_the_next_run(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(sandbox, preflight=False, call_timeout=4.0)
    sandbox.control(faults={"customer-1": [{"kind": "slow", "seconds": 2.5}]})
    fill(warehouse, 1)
    worker = crew.codify(stage()[0][0])
    wait_until(lambda: sandbox.stats()["in_flight"] == 1)
    worker.kill()
    assert stage("too early")[1]["records"] == 0
    monkeypatch.setattr(sandbox, "token", "another-token")
    connect(sandbox, preflight=False, call_timeout=4.0)
    wait_until(lambda: ledger.value("SELECT clock_timestamp() - sent_at > interval '4 s' FROM wolkvox.codification"))
    assert stage("next")[1]["records"] == 1
    assert ledger.rows("SELECT state, reason, attempts FROM wolkvox.codification") == [("pending", "unknown_crash", 1)]
