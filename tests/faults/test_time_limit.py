"""Long calls: within the limit they are one call, beyond it their outcome is unknown."""

import pytest
from conftest import Database
from crew import Crew, connect, fill, stage, states
from sandbox_server import SandboxServer

OUTCOME = "SELECT state, reason, attempts FROM wolkvox.codification WHERE customer_id = %s"


def slow(seconds: float) -> list[dict[str, object]]:
    return [{"kind": "slow", "seconds": seconds}]


def test_a_call_the_vendor_ends_at_its_limit_is_unknown_and_no_third_one_is_made_meanwhile(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=5)
    sandbox.control(latency=0.01, request_limit=4.0, faults={"customer-2": slow(30), "customer-30": slow(2.0)})
    fill(warehouse, 60)
    tallies = [worker.tally() for worker in [crew.codify(chunk) for chunk in stage()[0]]]
    assert sum(tally["unknown"] for tally in tallies) == 1
    assert ledger.rows(OUTCOME, "customer-2") == [("pending", "unknown_reset", 1)]
    assert ledger.rows(OUTCOME, "customer-30") == [("coded", None, 1)]
    stats = sandbox.stats()
    assert (stats["coded"], stats["codify_calls"], stats["peak_in_flight"]) == (59, 60, 2)


def test_a_call_that_says_nothing_for_longer_than_the_limit_is_unknown(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=2)
    sandbox.control(faults={"customer-1": slow(4)})
    fill(warehouse, 2)
    for chunk in stage()[0]:
        crew.codify(chunk).tally()
    assert ledger.rows(OUTCOME, "customer-1") == [("pending", "unknown_timeout", 1)]
    assert sandbox.stats()["codify_calls"] == 2
    crew.codify(stage("next")[0][0]).tally()
    assert ledger.rows(OUTCOME, "customer-1") == [("coded", None, 2)]


@pytest.mark.minutes
def test_with_the_settings_as_they_are_35_seconds_are_one_call_and_70_are_unknown(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.05, faults={"customer-1": slow(35), "customer-2": slow(70)})
    fill(warehouse, 1, campaign="1")
    fill(warehouse, 1, first=2, campaign="2")
    fill(warehouse, 20, first=3, campaign="3")
    workers = [crew.codify(chunk) for chunk in reversed(stage()[0])]
    for worker in workers:
        worker.tally(120.0)
    assert ledger.rows(OUTCOME, "customer-1") == [("coded", None, 1)]
    assert ledger.rows(OUTCOME, "customer-2") == [("pending", "unknown_reset", 1)]
    assert states(ledger) == {"coded": 21, "pending": 1}
    stats = sandbox.stats()
    assert (stats["coded"], stats["codify_calls"], stats["peak_in_flight"]) == (21, 22, 2)
    took = (
        "SELECT extract(epoch FROM coalesce(settled_at, not_before) - sent_at)::float"
        " FROM wolkvox.codification WHERE customer_id = %s"
    )
    assert 35 <= ledger.value(took, "customer-1") < 40
    assert 60 <= ledger.value(took, "customer-2") < 65


def test_a_request_that_is_not_waited_for_any_more_keeps_its_slot_while_it_may_be_in_flight(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(sandbox, preflight=False, call_timeout=1)
    monkeypatch.setattr("wolkvox.vendor.settings.CALL_TIMEOUT", 5.0)
    sandbox.control(latency=0.01, faults={f"customer-{n}": slow(4.0) for n in (1, 16)})
    fill(warehouse, 30)
    for worker in [crew.codify(chunk) for chunk in stage()[0]]:
        worker.tally()
    assert sandbox.stats()["peak_in_flight"] == 2
    assert states(ledger) == {"coded": 28, "pending": 2}
