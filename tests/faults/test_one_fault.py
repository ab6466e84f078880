"""One fault stays one fault: a record's, a campaign's or everybody's, told apart by other records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from conftest import Database
from crew import AT_ONCE, Crew, connect, fill, stage, states, wait_until
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.breaker import Breaker, close_breaker, open_breaker

OUTAGE = (
    "INSERT INTO wolkvox.circuit_breaker (operation, reason, message, fingerprint, dag_id, dag_run_id, since, until)"
    " VALUES ('0041', %s, 'Nothing goes.', %s, 'wolkvox_codify', 'before', now() - interval '1 h', now())"
)
PARKED = (
    "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, message, since, until)"
    " VALUES ('0041', 'preview', %s, 'not_found', 'no', now() - interval '1 h', now() + interval '4 h')"
)
TOKEN_PAGE = "<html><body>Please log in</body></html>"


def status(code: int, **more: Any) -> dict[str, Any]:
    """An answer for good."""
    return {"kind": "status", "status": code, "repeat": True, **more}


ODD_ANSWERS = {
    "302": status(302, headers={"Location": "http://127.0.0.1:9/"}),
    "307": status(307, headers={"Location": "/login"}, body=TOKEN_PAGE),
    "405": status(405, body="<html>Method Not Allowed</html>"),
    "401 page": status(401, body=TOKEN_PAGE),
    "403 page": {"kind": "maintenance", "repeat": True},
    "503 asks for a minute": status(503, headers={"Retry-After": "60"}),
    "423 asks for two": status(423, headers={"Retry-After": "120"}),
    "429 asks for five": status(429, headers={"Retry-After": "300"}),
    "409": status(409),
    "500": status(500),
    "502": status(502, body="<html>"),
    "reset": {"kind": "reset_before", "repeat": True},
    "no JSON": {"kind": "html_200", "repeat": True},
}


@pytest.fixture
def vendor(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> SandboxServer:
    connect(sandbox, preflight=False)
    return sandbox


def send(crew: Crew, run: str, **options: Any) -> list[dict[str, Any]]:
    """A run: stage, then both chunks at once; what became of each task."""
    workers = [crew.codify(chunk, request_retries=AT_ONCE) for chunk in stage(run, **options)[0]]
    return [worker.result() for worker in workers]


def coded(ledger: Database, campaign: str = "17") -> int:
    query = "SELECT count(*) FROM wolkvox.codification WHERE state = 'coded' AND campaign_id = %s"
    return int(ledger.value(query, campaign))


def outages(ledger: Database) -> int:
    return int(ledger.value("SELECT count(*) FROM wolkvox.circuit_breaker"))


# One record


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_what_one_record_is_answered_for_good_never_stops_the_others(
    answer: dict[str, Any], vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={"customer-1": [answer]})
    fill(warehouse, 60)
    ended = {result["ended"] for result in send(crew, "run")}
    assert (ended, coded(ledger), outages(ledger)) == ({"success"}, 59, 0)
    assert vendor.stats()["calls_per_record"]["preview/17/customer-1"] <= 5


def test_four_customers_whom_the_dialler_holds_are_no_outage(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(409)] for n in (1, 2, 3, 4)})
    fill(warehouse, 60)
    send(crew, "run")
    assert (coded(ledger), outages(ledger)) == (56, 0)


def test_a_record_in_conflict_that_meets_the_last_seconds_of_a_run_is_no_outage(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={"customer-1": [status(409)]})
    fill(warehouse, 1)
    crew.codify(stage(seconds=3.0)[0][0]).tally()
    assert outages(ledger) == 0


def test_the_only_record_there_is_may_fail_without_an_outage(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={"customer-1": [status(302)]})
    fill(warehouse, 1)
    send(crew, "run")
    assert (states(ledger), outages(ledger)) == ({"pending": 1}, 0)


# Trials


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("everything_refused", status(404)),
        ("overloaded_503", status(500)),
        ("overloaded_503", status(409)),
        ("overloaded_503", status(429)),
        ("maintenance", {"kind": "maintenance", "repeat": True}),
        ("overloaded_503", status(302)),
        ("unknown_reset", {"kind": "reset_before", "repeat": True}),
    ],
)
def test_a_trial_that_fails_is_followed_by_another_records(
    reason: str,
    answer: dict[str, Any],
    vendor: SandboxServer,
    warehouse: Database,
    ledger: Database,
    crew: Crew,
) -> None:
    vendor.control(faults={"customer-1": [answer]})
    fill(warehouse, 60)
    ledger.execute(OUTAGE, reason, WolkvoxHook().settings.identity)
    for run in ("first", "second", "third"):
        send(crew, run)
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
    assert (coded(ledger), outages(ledger)) == (59, 0)


def test_trials_of_an_outage_leave_suspended_campaigns_for_the_end(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(unknown_customers=[f"customer-{n}" for n in range(1, 61)])
    fill(warehouse, 60, campaign="666")
    fill(warehouse, 40, first=61)
    ledger.execute(PARKED, "666")
    ledger.execute(OUTAGE, "everything_refused", WolkvoxHook().settings.identity)
    send(crew, "run")
    assert (coded(ledger), outages(ledger)) == (40, 0)


def test_trials_rotate_over_campaigns_of_which_the_newest_are_dead(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(unknown_customers=[f"customer-{n}" for n in range(1, 61)])
    for number, campaign in enumerate(("1", "2", "3", "4", "5", "6")):
        fill(warehouse, 10, first=10 * number + 1, campaign=campaign)
    fill(warehouse, 40, first=61)
    ledger.execute(OUTAGE, "everything_refused", WolkvoxHook().settings.identity)
    for run in ("first", "second", "third"):
        send(crew, run)
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
    assert (coded(ledger), outages(ledger)) == (40, 0)


def test_the_one_healthy_campaign_among_fourteen_dead_ones_goes_out(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(500)] for n in range(1, 421)})
    for number in range(14):
        fill(warehouse, 30, first=30 * number + 1, campaign=str(600 + number))
    fill(warehouse, 20, first=501)
    for run in range(40):
        ledger.execute("UPDATE wolkvox.codification SET not_before = now() WHERE not_before IS NOT NULL")
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
        send(crew, f"run {run}")
        if coded(ledger) == 20:
            break
    assert coded(ledger) == 20
    assert outages(ledger) == 0


def test_a_trial_of_a_suspended_campaign_takes_other_records_each_time(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(unknown_customers=[f"customer-{n}" for n in range(1, 7)])
    fill(warehouse, 20)
    ledger.execute(PARKED, "17")
    for run in ("first", "second", "third"):
        ledger.execute("UPDATE wolkvox.suspended_campaign SET until = now()")
        send(crew, run)
    assert (coded(ledger), ledger.rows("SELECT 1 FROM wolkvox.suspended_campaign")) == (14, [])


def test_while_the_day_has_no_requests_no_pause_of_a_suspended_campaign_grows(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, licenses=1, preflight=False, quota_reserve=999)
    fill(warehouse, 3)
    ledger.execute(
        "INSERT INTO wolkvox.quota (account, day, requests) SELECT '0041', (now() AT TIME ZONE"
        " 'America/Bogota')::date, 1000"
    )
    ledger.execute(PARKED, "17")
    ledger.execute("UPDATE wolkvox.suspended_campaign SET until = now()")
    for run in ("first", "second", "third"):
        send(crew, run)
    assert ledger.value("SELECT trials FROM wolkvox.suspended_campaign") == 0
    assert sandbox.stats()["codify_calls"] == 0


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("overloaded_503", status(503)),
        ("maintenance", status(302)),
        ("unknown_reset", {"kind": "reset_before", "repeat": True}),
        ("everything_refused", {"kind": "body_400", "repeat": True}),
    ],
)
def test_an_outage_that_lasts_settles_none_of_the_few_records_that_try_it(
    reason: str, answer: dict[str, Any], vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(default_fault=[answer])
    fill(warehouse, 2)
    fill(warehouse, 1, first=3, campaign="18")
    ledger.execute(OUTAGE, reason, WolkvoxHook().settings.identity)
    longest = "SELECT coalesce(max(not_before) <= now() + interval '16 minutes', true) FROM wolkvox.codification"
    for run in range(10):
        send(crew, f"run {run}")
        assert ledger.value(longest)
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
        ledger.execute("UPDATE wolkvox.codification SET not_before = now() WHERE not_before > now()")
    assert states(ledger) == {"pending": 3}
    vendor.control(default_fault=[])
    send(crew, "well")
    send(crew, "again")
    assert states(ledger) == {"coded": 3}


def test_what_was_suspended_while_everything_was_refused_is_tried_as_soon_as_that_is_over(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    fill(warehouse, 20)
    fill(warehouse, 20, first=21, campaign="18")
    ledger.execute(OUTAGE, "everything_refused", WolkvoxHook().settings.identity)
    ledger.execute(PARKED, "18")
    send(crew, "first")
    send(crew, "second")
    assert states(ledger) == {"coded": 40}


# A campaign


@pytest.mark.parametrize(
    "message",
    [
        "campaign is closed (request {n:016x})",
        "{n} at 12:{n:02d}",
        "cerrada a las {n:02d}h: {n:x}",
    ],
)
def test_a_campaign_that_refuses_with_an_ever_other_message_is_suspended(
    message: str, vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(
        latency=0.002,
        faults={f"customer-{n}": [status(422, msg=message.format(n=n * 7_919))] for n in range(1, 101)},
    )
    fill(warehouse, 100, campaign="666")
    fill(warehouse, 60, first=101)
    send(crew, "run")
    assert (coded(ledger), states(ledger).get("rejected", 0)) == (60, 0)
    assert ledger.rows("SELECT campaign_id FROM wolkvox.suspended_campaign") == [("666",)]


def test_two_texts_in_turn_are_refusals_in_a_row(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(404 if n % 3 else 422, msg=f"no {n % 3}")] for n in range(1, 101)})
    fill(warehouse, 100)
    send(crew, "run")
    assert states(ledger) == {"pending": 100}


def test_three_campaigns_that_refuse_everybody_leave_the_fourth_alone(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(422, msg=f"closed {n:x}")] for n in range(1, 91)})
    for number, campaign in enumerate(("1", "2", "3")):
        fill(warehouse, 30, first=30 * number + 1, campaign=campaign)
    fill(warehouse, 30, first=91)
    send(crew, "run")
    for run in ("second", "third"):
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
        send(crew, run)
    assert coded(ledger) == 30


@pytest.mark.parametrize(
    "answer",
    [status(500), status(409), {"kind": "reset_before", "repeat": True}, status(302), status(504, body="<html>")],
    ids=["500", "409", "reset", "302", "504"],
)
def test_a_campaign_that_fails_while_others_pass_is_suspended_and_no_outage(
    answer: dict[str, Any], vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    connect(vendor, preflight=False, call_timeout=1)
    red = 0
    for number in range(8):
        first = 100 * number + 1
        vendor.control(faults={f"customer-{n}": [answer] for n in range(1, 10_000) if n % 100 in (1, 2, 3, 4)})
        fill(warehouse, 4, first=first, campaign="666")
        fill(warehouse, 16, first=first + 4)
        red += any(result["ended"] != "success" for result in send(crew, f"run {number}"))
    assert (red, outages(ledger), coded(ledger)) == (0, 0, 8 * 16)
    assert ledger.rows("SELECT campaign_id FROM wolkvox.suspended_campaign") == [("666",)]


def test_a_campaign_that_refuses_everybody_is_suspended_although_outages_come_and_go(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(422, msg=f"closed {n}")] for n in range(1, 101)})
    fill(warehouse, 100, campaign="666")
    breaker = Breaker("0041", WolkvoxHook().settings.identity, ("wolkvox_codify", "run"), AT_ONCE)
    for run in ("first", "second"):
        send(crew, run, limit=40)
        open_breaker(ledger.connection, breaker, "overloaded_503", "Nothing goes.")
        close_breaker(ledger.connection, "0041")
    assert states(ledger) == {"pending": 100}
    assert ledger.rows("SELECT campaign_id FROM wolkvox.suspended_campaign") == [("666",)]


def test_a_campaign_that_asks_for_minutes_lets_the_others_pass(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    answer = status(503, headers={"Retry-After": "120"})
    vendor.control(faults={f"customer-{n}": [answer] for n in range(1, 46)})
    fill(warehouse, 45, campaign="666")
    fill(warehouse, 60, first=46)
    for chunk in stage()[0]:
        crew.codify(chunk)
    wait_until(lambda: coded(ledger) == 60, seconds=20.0)
    assert ledger.rows("SELECT campaign_id FROM wolkvox.suspended_campaign") == [("666",)]
    assert vendor.stats()["codify_calls"] <= 60 + 12


def test_the_one_record_of_another_campaign_tells_of_an_outage_once(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    """The dialler holds it, or it fails itself: it is not sent again for each record that fails."""
    vendor.control(faults={f"customer-{n}": [status(500)] for n in range(1, 31)} | {"customer-31": [status(409)]})
    fill(warehouse, 30)
    fill(warehouse, 1, first=31, campaign="18")
    retry_policy = replace(AT_ONCE, tries=1)
    for chunk in stage()[0]:
        crew.codify(chunk, request_retries=retry_policy).result()
    assert vendor.stats()["calls_per_record"]["preview/18/customer-31"] == 1
    assert outages(ledger) + len(ledger.rows("SELECT 1 FROM wolkvox.suspended_campaign")) == 1


def test_a_run_for_one_customer_sends_nobody_else_though_it_is_in_doubt(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(500)] for n in range(1, 11)})
    fill(warehouse, 9)
    crew.codify(stage("before")[0][0], request_retries=replace(AT_ONCE, tries=1, enough=20)).tally()
    fill(warehouse, 1, first=10)
    fill(warehouse, 5, first=11, campaign="18")
    stage("nobody sends")
    (chunk,), _ = stage("one", customer_id="customer-10", by_hand=True)
    crew.codify(chunk, request_retries=replace(AT_ONCE, enough=20)).result()
    assert coded(ledger, "18") == 0


def test_a_dead_campaign_is_suspended_although_the_clock_was_a_day_ahead(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    fill(warehouse, 1, campaign="666")
    send(crew, "ahead")
    ledger.execute("UPDATE wolkvox.codification SET sent_at = sent_at + interval '1 d', settled_at = now() + '1 d'")
    vendor.control(faults={f"customer-{n}": [status(422, msg=f"closed {n}")] for n in range(2, 102)})
    fill(warehouse, 100, first=2, campaign="666")
    send(crew, "set right")
    assert states(ledger) == {"coded": 1, "pending": 100}


def test_failures_that_began_in_the_future_ends_with_the_next_answer(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(faults={f"customer-{n}": [status(500)] for n in (*range(1, 10), 11)})
    fill(warehouse, 9)
    crew.codify(stage("ahead", by_hand=True)[0][0], request_retries=replace(AT_ONCE, tries=1, enough=20)).tally()
    ledger.execute("UPDATE wolkvox.consecutive_failures SET failed_since = failed_since + interval '1 day'")
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour'")
    fill(warehouse, 1, first=10)
    send(crew, "set right")
    fill(warehouse, 1, first=11)
    send(crew, "one more")
    assert (coded(ledger), outages(ledger)) == (1, 0)


# Everybody


def test_what_everybody_is_refused_at_once_settles_nobody(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(latency=0.005, default_fault=[{"kind": "body_400", "repeat": True}])
    for number in range(4):
        fill(warehouse, 40, first=40 * number + 1, campaign=str(number))
    for attempt in range(3):
        send(crew, f"refused {attempt}")
        assert states(ledger) == {"pending": 160}
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
    vendor.control(default_fault=[])
    send(crew, "run")
    send(crew, "next")
    assert states(ledger) == {"coded": 160}


def test_a_host_that_fails_for_all_is_an_outage_after_ten_records_of_several_campaigns(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(default_fault=[status(500)])
    fill(warehouse, 40)
    fill(warehouse, 40, first=41, campaign="18")
    ended = [result["ended"] for result in send(crew, "run")]
    assert (sorted(ended), outages(ledger), states(ledger)) == (["failed", "success"], 1, {"pending": 80})
    assert vendor.stats()["codify_calls"] <= 30


# The latest contact


def test_an_older_contact_whose_answer_was_lost_never_follows_the_later_one(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    """It was being sent when the later one was staged, so that nothing could retire it then."""
    fill(warehouse, 1)
    chunks, _ = stage("first")
    ledger.execute("UPDATE wolkvox.codification SET state = 'sending', slot = 'of a living task'")
    warehouse.execute("INSERT INTO contacted_customers SELECT 'preview', '17', 'customer-1', '6', NULL, NULL, now()")
    later, _ = stage("second")
    ledger.execute(
        "UPDATE wolkvox.codification SET state = 'pending', attempts = 1, reason = 'unknown_reset', not_before = now(),"
        " sent_at = now() - interval '1 s' WHERE state = 'sending'"
    )
    for chunk in [*later, *chunks]:
        crew.codify(chunk, request_retries=AT_ONCE).tally()
    send(crew, "third")
    assert ledger.rows("SELECT cod_act, state FROM wolkvox.codification ORDER BY id") == [
        ("5", "superseded"),
        ("6", "coded"),
    ]


def test_an_outage_of_a_former_token_is_forgotten_with_the_next_run(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    fill(warehouse, 30)
    ledger.execute(OUTAGE, "bad_token", WolkvoxHook().settings.identity - 1)
    send(crew, "run")
    assert (states(ledger), outages(ledger)) == ({"coded": 30}, 0)
