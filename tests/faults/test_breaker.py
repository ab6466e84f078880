"""One dead endpoint never burns the day's requests, and one bad record never stops the others."""

from dataclasses import replace
from typing import Any

import pytest
from conftest import Database
from crew import Crew, connect, fill, stage, states
from sandbox_server import SandboxServer

from wolkvox.rules.retry_policy import RetryPolicy

POLICY = RetryPolicy(tries=3, outages=8, first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
ATTEMPTS = "SELECT sum(attempts) FROM wolkvox.codification"


@pytest.mark.parametrize(
    ("fault", "seen", "attempts"),
    [
        ({"kind": "status", "status": 500}, "overloaded_500 (code 500)", 0),
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "0"}}, "overloaded_503 (code 503)", 0),
        ({"kind": "status", "status": 502, "body": "<html>"}, "unknown_502 (code 502)", 8),
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
    result = crew.codify(chunk, request_retries=POLICY).result()
    assert (result["ended"], result["error"]) == ("failed", "BreakerOpen")
    assert f"Record after record fails, the last one {seen}." in result["message"]
    assert sandbox.stats()["calls"] == 8
    assert ledger.value("SELECT requests FROM wolkvox.quota") == 8
    assert states(ledger) == {"pending": 40}
    assert ledger.value(ATTEMPTS) == attempts
    sandbox.control(default_fault=None)
    assert sum(crew.codify(chunk).tally()["coded"] for chunk in stage("next", by_hand=True)[0]) == 40


def test_a_vendor_that_is_not_there_costs_no_call(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, licenses=1)
    fill(warehouse, 40)
    chunk, _ = stage()[0]
    sandbox.stop()
    result = crew.codify(chunk, request_retries=POLICY).result()
    assert (result["ended"], result["error"]) == ("failed", "BreakerOpen")
    assert "the last one unreachable_refused" in result["message"]
    assert states(ledger) == {"pending": 40}
    assert (ledger.value(ATTEMPTS), ledger.value("SELECT requests FROM wolkvox.quota")) == (0, 0)
    sandbox.restart()
    assert sum(crew.codify(chunk).tally()["coded"] for chunk in stage("next", by_hand=True)[0]) == 40


def test_a_dead_campaign_is_suspended_over_both_tasks_and_the_others_are_sent_in_full(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(unknown_customers=[f"customer-{n}" for n in range(1, 101)], latency=0.005)
    fill(warehouse, 100, campaign="666")
    fill(warehouse, 100, first=101)
    retry_policy = replace(POLICY, refusals=12)
    workers = [crew.codify(chunk, request_retries=retry_policy) for chunk in stage()[0]]
    tallies = [worker.tally() for worker in workers]
    assert {tally["stopped"] for tally in tallies} == {None}
    dead = sum(requests for record, requests in sandbox.stats()["calls_per_record"].items() if "/666/" in record)
    assert 12 <= dead <= 13, "the other task finds out at its next call"
    assert states(ledger) == {"coded": 100, "pending": 100}
    assert ledger.rows("SELECT campaign_id, reason, message FROM wolkvox.suspended_campaign") == [
        ("666", "not_found", "404 NO RECORDS FOUND")
    ]
    assert stage("next")[1]["records"] == 0


def test_an_outage_that_one_task_found_ends_the_other_one_and_the_next_run_is_one_request(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(default_fault=[{"kind": "status", "status": 503, "repeat": True}])
    fill(warehouse, 40)
    first, second = stage()[0]
    assert crew.codify(first, request_retries=POLICY).result()["error"] == "BreakerOpen"
    assert crew.codify(second, request_retries=POLICY).tally()["stopped"] == "outage"
    assert sandbox.stats()["calls"] == 8
    assert stage("at once")[1]["records"] == 0
    ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
    (trial,), counts = stage("next")
    assert counts["stopped"] == "outage"
    assert crew.codify(trial, request_retries=POLICY).tally()["stopped"] == "outage"
    assert sandbox.stats()["calls"] == 9
    assert states(ledger) == {"pending": 40}


def test_an_address_without_this_api_stops_at_once_without_a_retry(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    away = {"kind": "status", "status": 400, "msg": "THE API YOU WANT TO CONSULT DOES NOT EXIST", "repeat": True}
    sandbox.control(faults={"customer-1": [away]})
    fill(warehouse, 4)
    result = crew.codify(stage()[0][0]).result()
    assert (result["ended"], result["error"]) == ("failed", "WrongEndpoint")
    assert (sandbox.stats()["calls"], states(ledger)) == (1, {"pending": 4})


@pytest.mark.parametrize(
    "page",
    [
        {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}},
        {"status": 405, "body": "<html>Not Allowed"},
        {"status": 401, "body": "<html>Who are you"},
    ],
    ids=lambda page: str(page["status"]),
)
def test_a_page_of_something_on_the_way_keeps_one_record_and_no_other(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, page: dict[str, object]
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(faults={"customer-1": [{"kind": "status", "repeat": True, **page}]})
    fill(warehouse, 20)
    for chunk in stage()[0]:
        crew.codify(chunk, request_retries=POLICY).tally()
    coded = ledger.rows(
        "SELECT count(*), bool_or(customer_id = 'customer-1') FROM wolkvox.codification WHERE state = 'coded'"
    )
    assert coded == [(19, False)]


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


@pytest.mark.parametrize(
    "fault",
    [{"kind": "maintenance"}, {"kind": "status", "status": 406, "body": "<html>Not Acceptable"}],
    ids=["403", "406"],
)
def test_a_record_whose_text_a_firewall_dislikes_is_set_aside_and_the_rest_goes_on(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, fault: dict[str, object]
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(faults={"customer-5": [{**fault, "repeat": True}]})
    fill(warehouse, 20)
    for chunk in stage()[0]:
        crew.codify(chunk, request_retries=POLICY).tally()
    code = fault.get("status", 403)
    assert ledger.rows("SELECT state, reason, count(*) FROM wolkvox.codification GROUP BY 1, 2 ORDER BY 1") == [
        ("coded", None, 19),
        ("rejected", f"refused_{code}", 1),
    ]
    assert sandbox.stats()["calls_per_record"]["preview/17/customer-5"] == 3
    assert ledger.value("SELECT count(*) FROM wolkvox.circuit_breaker") == 0
