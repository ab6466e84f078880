"""Two requests in flight per token, whoever asks."""

from time import monotonic

import psycopg
import pytest
from conftest import Database
from crew import OWNER, Crew, connect, fill, sent_again, stage, states, wait_until
from sandbox_server import SandboxServer

from wolkvox.errors import NoFreeSlot, Stopped
from wolkvox.ledger.connection import connect as ledger_connection
from wolkvox.ledger.leases import LeaseRules, acquire_lease, lease_for_requests
from wolkvox.stop import Stop

RULES = LeaseRules(fingerprint=-7, operation="0041", call_timeout=2.0, timeout=0.2)
SLOW = [{"kind": "slow", "seconds": 4.0}]


def backend_of(ledger: Database, slot: int) -> int:
    """The database session that holds a slot."""
    pid: int = ledger.value("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s", slot)
    return pid


def test_a_third_task_waits_and_then_says_who_holds_the_slots(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(default_fault=[{"kind": "slow", "seconds": 6.0}])  # longer than the third task takes to start
    fill(warehouse, 3)
    chunks, _ = stage(chunk_size=1)
    holders = [crew.codify(chunk) for chunk in chunks[:2]]
    wait_until(lambda: sandbox.stats()["in_flight"] == 2)
    result = crew.codify(chunks[2], lease_timeout=0.5).result()
    assert (result["ended"], result["error"]) == ("failed", "NoFreeSlot")
    assert result["message"].startswith("Both slots of the token stayed taken for 0.5 s.")
    for number, owner in enumerate(holders):
        assert f"wolkvox_codify.codify[{number}] of run run on " in result["message"]
        assert f"(process {owner.process.pid})" in result["message"]
    assert sandbox.stats()["calls"] == 2
    assert states(ledger) == {"sending": 2, "pending": 1}
    sandbox.control(default_fault=None)
    crew.codify(chunks[2], try_number=2).tally()
    for owner in holders:
        owner.tally()
    assert states(ledger) == {"coded": 3}
    assert sandbox.stats()["peak_in_flight"] == 2


def test_the_vendor_is_asked_for_the_days_calls_in_a_slot_too(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox)
    sandbox.control(default_fault=SLOW)
    fill(warehouse, 2)
    for chunk in stage()[0]:
        crew.codify(chunk)
    wait_until(lambda: sandbox.stats()["in_flight"] == 2)
    fill(warehouse, 1, first=3)
    began = monotonic()
    assert stage("second")[1]["new"] == 1
    assert monotonic() - began > 0.5
    assert sandbox.stats()["peak_in_flight"] == 2


def test_five_tasks_at_once_never_make_three_calls_at_once(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.02)
    fill(warehouse, 60)
    for worker in [crew.codify(chunk) for chunk in stage(chunk_size=12)[0]]:
        worker.tally()
    assert states(ledger) == {"coded": 60}
    assert sandbox.stats()["peak_in_flight"] == 2
    assert sandbox.stats()["connections"] < 12  # six, and one for every time the machine let a connection rest


def test_a_slot_lost_in_mid_call_goes_to_another_task_only_after_that_call(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=4.0)
    sandbox.control(latency=0.01, faults={"customer-1": [{"kind": "slow", "seconds": 2.5}]})
    fill(warehouse, 200)
    loser = crew.codify(stage("first", limit=1)[0][0])
    wait_until(lambda: sandbox.stats()["in_flight"] == 1)
    slot = ledger.value("SELECT right(slot, 1)::int FROM wolkvox.codification WHERE state = 'sending'")
    others = [crew.codify(chunk) for chunk in stage("second")[0]]
    wait_until(lambda: states(ledger).get("coded", 0) > 0)
    assert ledger.value("SELECT pg_terminate_backend(%s)", backend_of(ledger, slot))
    for worker in (loser, *others):
        worker.tally()
    stats = sandbox.stats()
    assert states(ledger) == {"coded": 200}
    assert stats["peak_in_flight"] == 2
    assert sent_again(stats) == stats["calls_per_record"]["preview/17/customer-1"] - 1 <= 1


def test_a_task_that_loses_the_ledger_in_mid_call_takes_its_slot_again_and_writes_the_answer(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(default_fault=[{"kind": "slow", "seconds": 3.0}])
    fill(warehouse, 4)
    for chunk in stage()[0]:
        crew.codify(chunk)
    wait_until(lambda: sandbox.stats()["in_flight"] == 2)
    for slot in (0, 1):
        assert ledger.value("SELECT pg_terminate_backend(%s)", backend_of(ledger, slot))
    for worker in crew.workers:
        assert worker.tally()["resent"] == 0
    assert states(ledger) == {"coded": 4}
    assert (sent_again(sandbox.stats()), sandbox.stats()["peak_in_flight"]) == (0, 2)


def test_a_call_without_a_record_that_nobody_saw_the_end_of_is_waited_out(ledger: Database) -> None:
    dead = ledger_connection("wolkvox_ledger")
    call = lease_for_requests(dead, RULES, OWNER, Stop())
    began = monotonic()
    call.__enter__()
    dead.close()  # as a killed process does
    with ledger_connection("wolkvox_ledger") as one, ledger_connection("wolkvox_ledger") as other:
        assert acquire_lease(one, RULES, OWNER, Stop()) == "fffffff9/1"
        assert acquire_lease(other, RULES, OWNER, Stop()) == "fffffff9/0"
        assert monotonic() - began > 1.9
    with pytest.raises(psycopg.OperationalError):
        call.__exit__(None, None, None)


def test_a_task_told_to_stop_does_not_wait_for_a_slot(ledger: Database) -> None:
    stop = Stop()
    connections = [ledger_connection("wolkvox_ledger") for _ in range(3)]
    slots = [acquire_lease(connection, RULES, OWNER, stop) for connection in connections[:2]]
    assert slots == ["fffffff9/0", "fffffff9/1"]
    stop.set()
    with pytest.raises(Stopped):
        acquire_lease(connections[2], LeaseRules(-7, "0041", 0.5, 60.0), OWNER, stop)
    with pytest.raises(NoFreeSlot, match=r"Both slots .* wolkvox_codify\.stage\[-1\] of run run on "):
        acquire_lease(connections[2], RULES, OWNER, Stop())
    for connection in connections:
        connection.close()


def test_another_token_has_slots_of_its_own(ledger: Database) -> None:
    with ledger_connection("wolkvox_ledger") as one, ledger_connection("wolkvox_ledger") as other:
        assert acquire_lease(one, RULES, OWNER, Stop()) == "fffffff9/0"
        assert acquire_lease(other, LeaseRules(8, "0041", 0.5, 0.2), OWNER, Stop()) == "00000008/0"


def test_a_task_and_its_twin_that_airflow_took_for_dead_send_every_record_once(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.01)
    fill(warehouse, 60)
    chunk, _ = stage()[0]
    twins = [crew.codify(chunk), crew.codify(chunk, try_number=2)]
    tallies = [twin.tally() for twin in twins]
    assert max(tally["coded"] for tally in tallies) == 60
    assert sum(tally["requests"] for tally in tallies) == 60
    assert (sandbox.stats()["calls"], sent_again(sandbox.stats())) == (60, 0)


def test_a_clock_that_was_set_back_does_not_close_a_slot_for_longer_than_a_call(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 1)
    stage()
    ledger.execute(
        "UPDATE wolkvox.codification SET state = 'sending', slot = 'fffffff9/0', sent_at = now() + interval '1 hour'"
    )
    with ledger_connection("wolkvox_ledger") as one, ledger_connection("wolkvox_ledger") as other:
        began = monotonic()
        assert acquire_lease(one, RULES, OWNER, Stop()) == "fffffff9/1"
        assert acquire_lease(other, RULES, OWNER, Stop()) == "fffffff9/0"
        assert 1.9 < monotonic() - began < 60.0
    assert states(ledger) == {"pending": 1}
