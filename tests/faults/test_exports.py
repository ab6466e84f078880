"""A campaign's export settles what needs no call; one that can't be relied on settles nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from conftest import Database
from crew import Crew, connect, fill, send, sent_again, stage, states, wait_until
from export_host import TEXT, WHOLE, record
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.rules.exports import MOST_RECORDS, ExportHeader, why_unfit

pytest_plugins = ("export_host",)

REASONS = "SELECT state, reason, count(*) FROM wolkvox.codification GROUP BY 1, 2 ORDER BY 1, 2"


def ids(first: int, last: int) -> list[str]:
    return [f"customer-{n}" for n in range(first, last + 1)]


def test_two_thousand_strangers_and_five_hundred_that_carry_the_code_cost_one_call(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, licenses=20, export_preflight="on")
    sandbox.control(
        latency=0.0,
        members={"17": ids(2_001, 5_000)},
        codes={"17": dict.fromkeys(ids(4_501, 5_000), "5")},
    )
    fill(warehouse, 5_000)
    counts = send(crew)
    stats = sandbox.stats()
    assert (stats["codify_calls"], stats["calls"]) == (2_500, 2_500 + 2)  # the requests left, and the export
    assert (counts["absent"], counts["already_coded"]) == (2_000, 500)
    assert ledger.rows(REASONS) == [
        ("coded", "already_coded", 500),
        ("coded", None, 2_500),
        ("pending", "not_in_campaign", 2_000),
    ]


@pytest.mark.parametrize(("setting", "export"), [("off", 0), (None, 0), ("auto", 0), ("on", 1)])
def test_few_contacts_are_sent_without_an_export_unless_asked_for(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, setting: str | None, export: int
) -> None:
    connect(sandbox, export_preflight=setting)
    sandbox.control(members={"17": ids(1, 20)})
    fill(warehouse, 20)
    send(crew)
    assert sandbox.stats()["calls"] == 20 + 1 + export


def test_auto_asks_for_campaigns_of_many_contacts_alone(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, export_preflight="auto", export_from=30)
    sandbox.control(members={"17": ids(1, 10), "18": ids(1, 100)})
    fill(warehouse, 40)
    fill(warehouse, 20, campaign="18")
    send(crew)
    assert ledger.rows("SELECT campaign_id FROM wolkvox.export") == [("17",)]
    assert states(ledger) == {"coded": 30, "pending": 30}


def test_a_campaign_is_exported_at_most_every_five_minutes(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, export_preflight="on")
    sandbox.control(members={"17": ids(1, 50)})
    for place, run in enumerate(("first", "second")):
        fill(warehouse, 5, first=1 + 10 * place)
        send(crew, run)
    assert sandbox.stats()["calls"] == 10 + 2 + 1
    ledger.execute("UPDATE wolkvox.export SET asked_at = asked_at - interval '5 minutes'")
    fill(warehouse, 5, first=31)
    send(crew, "third")
    assert sandbox.stats()["calls"] == 15 + 3 + 2


def test_an_export_asked_for_by_a_clock_that_was_ahead_puts_off_no_other(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, export_preflight="on")
    sandbox.control(members={"17": ids(1, 5)})
    fill(warehouse, 5)
    ledger.execute("INSERT INTO wolkvox.export VALUES ('0041', '17', now() + interval '1 day')")
    send(crew, "first")
    assert sandbox.stats()["calls"] == 5 + 1 + 1  # the day's requests, and the export


def test_after_kills_nothing_is_sent_twice_that_wolkvox_has(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, export_preflight="on", call_timeout=3)
    sandbox.control(latency=0.05, members={"17": ids(1, 200)})
    fill(warehouse, 200)
    for kill in range(4):
        chunks, _ = stage(f"killed {kill}")
        workers = [crew.codify(chunk) for chunk in chunks]
        # A chunk that nobody has begun is waited for: Airflow starts its task again, and here nobody does.
        wait_until(lambda: ledger.rows("SELECT count(*) FROM wolkvox.chunk WHERE began_at IS NULL") == [(0,)])
        for worker in workers:
            worker.process.join(0.2 + 0.1 * kill)
            worker.kill()
        ledger.execute("UPDATE wolkvox.export SET asked_at = asked_at - interval '5 minutes'")
    sandbox.control(latency=0.0)
    ledger.execute("UPDATE wolkvox.codification SET not_before = NULL")
    for run in range(20):
        send(crew, f"after {run}")
        time.sleep(0.2)  # until the last call that nobody lived to see is surely over
        ledger.execute(
            "UPDATE wolkvox.codification SET not_before = NULL WHERE state = 'pending';"
            " UPDATE wolkvox.export SET asked_at = asked_at - interval '5 minutes'"
        )
        if states(ledger) == {"coded": 200}:
            break
    assert states(ledger) == {"coded": 200}
    assert sent_again(sandbox.stats()) == 0


def test_an_id_is_a_stranger_only_if_none_is_like_it_and_coded_only_if_it_is_the_same(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    """Zeros in front and letters may have been lost on the way into the campaign."""
    connect(sandbox, export_preflight="on")
    sandbox.control(members={"17": ["0041", "ABC"]}, codes={"17": {"0041": "5", "ABC": "5", "x9": "6"}})
    for customer in ("41", "abc", "ABC", "x9", "gone"):
        warehouse.execute(
            "INSERT INTO contacted_customers VALUES ('preview', '17', %s, '5', NULL, NULL, now())", customer
        )
    stage()
    found = ledger.rows("SELECT customer_id, state, reason FROM wolkvox.codification ORDER BY 1")
    assert sorted(found) == [
        ("41", "pending", None),
        ("ABC", "coded", "already_coded"),
        ("abc", "pending", None),
        ("gone", "pending", "not_in_campaign"),
        ("x9", "pending", None),
    ]


@pytest.mark.parametrize(("setting", "reason"), [(None, None), ("false", None), ("true", "already_handled")])
def test_customers_that_the_dialler_is_through_with_are_left_out_if_asked_for(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, setting: str | None, reason: str | None
) -> None:
    connect(sandbox, export_preflight="on", skip_handled=setting)
    sandbox.control(members={"17": ids(1, 3)}, codes={"17": {"customer-1": "99", "customer-2": "5"}})
    fill(warehouse, 3)
    _, counts = stage()
    assert counts["already_handled"] == (1 if reason else 0)
    assert ledger.rows("SELECT customer_id, reason FROM wolkvox.codification ORDER BY 1") == [
        ("customer-1", reason),
        ("customer-2", "already_coded"),
        ("customer-3", None),
    ]


def test_a_second_code_that_is_not_shown_is_sent(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    connect(sandbox, export_preflight="on")
    sandbox.control(codes={"17": {"1": "5"}})
    warehouse.execute("INSERT INTO contacted_customers VALUES ('preview', '17', '1', '5', '7', NULL, now())")
    stage()
    assert states(ledger) == {"pending": 1}


ODD = {
    "cut off": TEXT[:-20],
    "empty": b"",
    "no JSON": b"<html>maintenance</html>",
    "without records": json.dumps({**WHOLE, "records": []}).encode(),
    "without a list": json.dumps({"code": "200", "msg": "none"}).encode(),
    "of another campaign": json.dumps({**WHOLE, "campaign_id": "18"}).encode(),
    "of another code": json.dumps({**WHOLE, "code": "500"}).encode(),
    "fewer than it says": json.dumps({**WHOLE, "total_records": "3"}).encode(),
    "in another letter": TEXT.replace(b"customer-1", b"\xff\xfe"),
    "more than there can be": json.dumps(
        {"code": "200", "records": [record(number) for number in range(MOST_RECORDS)]}
    ).encode(),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_export_that_is_no_whole_one_of_this_campaign_marks_nothing(
    ledger: Database, warehouse: Database, odd: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    odd.body = ODD[kind]
    fill(warehouse, 5)
    _, counts = stage()
    assert (states(ledger), counts["records"]) == ({"pending": 5}, 5)
    assert "The export of campaign 17 is left aside" in caplog.text
    assert "customer-" not in caplog.text


@pytest.mark.parametrize("status", [404, 403, 302, 500, 503, 504])
def test_an_export_that_is_refused_marks_nothing(ledger: Database, warehouse: Database, odd: Any, status: int) -> None:
    odd.status, odd.body = status, TEXT
    fill(warehouse, 5)
    assert stage()[1]["records"] == 5
    assert states(ledger) == {"pending": 5}
    busy = ledger.value("SELECT count(in_flight_until) FROM wolkvox.slot")
    assert busy == (status == 504), "after a gateway gave up, wolkvox may still be at it"


@pytest.mark.timeout(30)
def test_an_export_that_never_ends_is_given_up_in_the_time_of_a_call(
    ledger: Database, warehouse: Database, odd: Any
) -> None:
    odd.drip = True
    fill(warehouse, 5)
    assert stage()[1]["records"] == 5
    assert states(ledger) == {"pending": 5}


def test_a_whole_one_is_heeded(ledger: Database, warehouse: Database, odd: Any) -> None:
    odd.body = TEXT
    fill(warehouse, 5)
    assert stage()[1]["absent"] == 3


def test_a_calls_quota_is_kept_when_no_call_is_left(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, export_preflight="on", licenses=0.001, preflight=False)
    sandbox.control(members={"17": []})
    fill(warehouse, 5)
    ledger.execute("SELECT 1")
    stage()
    assert sandbox.stats()["calls"] <= 1


@pytest.mark.parametrize(
    ("head", "fit"),
    [
        (ExportHeader("200", "17", "3", 3, True), True),
        (ExportHeader(None, None, None, 3, True), True),
        (ExportHeader("0", "", "", 1, True), True),
        (ExportHeader("200", "17", "3", 3, False), False),
        (ExportHeader("200", "17", "60000", MOST_RECORDS, True), False),
    ],
)
def test_what_an_export_says_of_itself_must_agree(head: ExportHeader, fit: bool) -> None:
    assert (why_unfit(head, "17") is None) == fit


@pytest.mark.parametrize("told", ["sometimes", "2"])
def test_a_setting_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, told: str) -> None:
    connect(sandbox, export_preflight=told)
    with pytest.raises(ValueError, match="export_preflight of connection 'wolkvox_default' must be off, on or auto"):
        _ = WolkvoxHook().settings


def test_an_earlier_contact_is_not_sent_after_a_later_one_that_wolkvox_has_already(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, export_preflight="on")
    sandbox.control(codes={"17": {"1": "5"}})
    insert = (
        "INSERT INTO contacted_customers VALUES ('preview', '17', '1', %s, NULL, NULL, now() - %s * interval '1 hour')"
    )
    for code, hours in (("6", 2), ("5", 1)):
        warehouse.execute(insert, code, hours)
    stage()
    assert states(ledger) == {"coded": 1, "superseded": 1}
