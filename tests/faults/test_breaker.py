"""One dead endpoint never burns the day's calls, and one bad record never stops the others."""

from typing import Any

import pytest
from conftest import Database
from crew import Crew, connect, fill, stage, states
from sandbox_server import SandboxServer

from wolkvox.rules.patience import Patience

PATIENCE = Patience(tries=3, outages=8, not_found=6, first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
ATTEMPTS = "SELECT sum(attempts) FROM wolkvox.codification"


@pytest.mark.parametrize(
    ("fault", "seen", "attempts"),
    [
        ({"kind": "status", "status": 500}, "overloaded_500 (code 500)", 8),
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "0"}}, "overloaded_503 (code 503)", 8),
        ({"kind": "status", "status": 502, "body": "<html>"}, "overloaded_502 (code 502)", 8),
        ({"kind": "maintenance"}, "maintenance (code 403)", 0),
        ({"kind": "concurrency"}, "busy (code 403)", 0),
        ({"kind": "reset_before"}, "unknown_reset (code None)", 8),
        ({"kind": "html_200"}, "unknown_unreadable (code 200)", 8),
    ],
)
def test_an_outage_stops_the_chunk_after_so_many_calls_and_every_record_is_pending(
    fault: dict[str, Any],
    seen: str,
    attempts: int,
    ledger: Database,
    warehouse: Database,
    sandbox: SandboxServer,
    crew: Crew,
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(default_fault=[{**fault, "repeat": True}])
    fill(warehouse, 40)
    chunk, _ = stage()[0]
    result = crew.codify(chunk, patience=PATIENCE).result()
    assert (result["ended"], result["error"]) == ("retry", "BreakerOpen")
    assert f"8 calls in a row met an outage, the last one {seen}." in result["message"]
    assert sandbox.stats()["calls"] == 8
    assert ledger.value("SELECT calls FROM wolkvox.quota") == 8
    assert states(ledger) == {"pending": 40}
    assert ledger.value(ATTEMPTS) == attempts
    sandbox.control(default_fault=None)
    assert crew.codify(chunk, try_number=2).tally()["coded"] == 20


def test_a_vendor_that_is_not_there_costs_no_call(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, licenses=1)
    fill(warehouse, 40)
    chunk, _ = stage()[0]
    sandbox.stop()
    result = crew.codify(chunk, patience=PATIENCE).result()
    assert (result["ended"], result["error"]) == ("retry", "BreakerOpen")
    assert "the last one unreachable_refused" in result["message"]
    assert states(ledger) == {"pending": 40}
    assert (ledger.value(ATTEMPTS), ledger.value("SELECT calls FROM wolkvox.quota")) == (0, 0)
    sandbox.restart()
    assert crew.codify(chunk, try_number=2).tally()["coded"] == 20


def test_404s_in_a_row_stop_the_chunk_and_the_next_try_sends_the_others_first(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(unknown_customers=[f"customer-{n}" for n in range(1, 11)])
    fill(warehouse, 40)
    chunk, _ = stage()[0]
    result = crew.codify(chunk, patience=PATIENCE).result()
    assert (result["ended"], result["error"]) == ("retry", "BreakerOpen")
    assert "6 calls in a row were answered 404." in result["message"]
    assert sandbox.stats()["calls"] == 6
    assert states(ledger) == {"pending": 40}
    untried = "SELECT count(*) FROM wolkvox.codification WHERE state = 'coded' AND attempts = 1"
    assert crew.codify(chunk, patience=PATIENCE, try_number=2).result()["error"] == "BreakerOpen"
    assert ledger.value(untried) == 10
    assert sandbox.stats()["calls"] == 6 + 4 + 10 + 6
    assert states(ledger) == {"coded": 10, "pending": 26, "rejected": 4}


def test_a_redirect_or_another_api_stops_at_once_without_a_retry(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    away = {"kind": "status", "status": 302, "headers": {"Location": "http://127.0.0.1:9/"}, "repeat": True}
    sandbox.control(faults={"customer-1": [away]})
    fill(warehouse, 4)
    result = crew.codify(stage()[0][0]).result()
    assert (result["ended"], result["error"]) == ("failed", "WrongEndpoint")
    assert (sandbox.stats()["calls"], states(ledger)) == (1, {"pending": 4})


def test_a_bad_token_is_one_call_a_failure_without_retries_and_nothing_rejected(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "token", "not-the-token")
    connect(sandbox, preflight=False)
    fill(warehouse, 40)
    result = crew.codify(stage()[0][0]).result()
    assert (result["ended"], result["error"]) == ("failed", "BadToken")
    assert (sandbox.stats()["unauthorised"], sandbox.stats()["calls"]) == (1, 0)
    assert states(ledger) == {"pending": 40}
    assert ledger.value(ATTEMPTS) == 0
