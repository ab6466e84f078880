"""Accidents of a query or a table are held before the first request, told once; the rest of the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from conftest import Database
from crew import SQL, Crew, connect, stage, states, verdict
from guarded import EACH_HOUR, live
from sandbox_server import SandboxServer

from wolkvox.ledger.holds import discard, open_holds, release
from wolkvox.rules.guard import Guard
from wolkvox.rules.runs import Chunk

GUARD = Guard()
A_DAY = 24 * EACH_HOUR  # contacts of a campaign
ALL_AT_ONCE = SQL.replace("AND contacted_at < :window_end", "AND :window_end IS NOT NULL")

Accident = Callable[[Database], None]


def put(warehouse: Database, campaign: str, customers: str, number: int, **other: str) -> None:
    """Put contacts into the warehouse, a millisecond apart; what is said otherwise is an SQL expression over ``n``."""
    values = {"kind": "'preview'", "customer": f"'{customers}-' || n", "code": "'5'", "at": "now()", **other}
    warehouse.execute(
        f"INSERT INTO contacted_customers SELECT {values['kind']}, '{campaign}', {values['customer']}, {values['code']}"
        f", NULL, 'by chat', date_trunc('second', {values['at']} - n * interval '1 ms')"
        f" FROM generate_series(1, {number}) AS n"
    )


def no_where(warehouse: Database) -> None:
    for campaign in ("17", "20", "21", "22"):
        put(warehouse, campaign, f"base-{campaign}", 2_000)


def a_join(warehouse: Database) -> None:
    for campaign in range(20, 31):
        put(warehouse, str(campaign), "joined", 60)


def yesterdays_file(warehouse: Database) -> None:
    put(warehouse, "17", "old", A_DAY)


def another_column(warehouse: Database) -> None:
    put(warehouse, "17", "order", A_DAY)


def one_campaign(warehouse: Database) -> None:
    put(warehouse, "17", "list", 5_000)


def two_fifths_invalid(warehouse: Database) -> None:
    put(warehouse, "17", "row", 120, customer="CASE WHEN mod(n, 5) < 2 THEN repeat('9', 101) ELSE 'row-' END || n")


def a_new_campaign(warehouse: Database) -> None:
    put(warehouse, "99", "new", 5_000, kind="'predictive'")


def a_clock_ahead(warehouse: Database) -> None:
    put(warehouse, "17", "ahead", 110, at="now() + interval '20 hours'")


def all_at_once(warehouse: Database) -> None:
    put(warehouse, "17", "late", 2 * A_DAY, at="now() - n * interval '10 minutes'")


ACCIDENTS: dict[str, tuple[Accident, set[str]]] = {
    "no WHERE": (no_where, {"volume", "new_campaigns"}),
    "a join that multiplies": (a_join, {"volume", "new_campaigns"}),
    "yesterday's file again": (yesterdays_file, {"volume"}),
    "a wrong column as id": (another_column, {"volume"}),
    "all of one campaign": (one_campaign, {"volume"}),
    "two fifths invalid": (two_fifths_invalid, {"invalid"}),
    "a new campaign with 5,000": (a_new_campaign, {"volume", "new_campaigns"}),
    "a clock a day ahead": (a_clock_ahead, {"volume", "ahead"}),
}


@pytest.fixture
def operation(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    """An operation of five weeks that brings 12 contacts an hour."""
    connect(sandbox, preflight=False)
    live(ledger)


def why(ledger: Database) -> set[str]:
    """The reasons of what is held."""
    return {str(reason["name"]) for hold in open_holds(ledger.connection) for reason in hold.why}


def send(crew: Crew, chunks: list[Chunk]) -> list[dict[str, Any]]:
    return [crew.codify(chunk).tally() for chunk in chunks]


def requests(sandbox: SandboxServer) -> set[str]:
    """The records that wolkvox was sent."""
    return set(sandbox.stats()["calls_per_record"])


FRESH = {f"preview/18/fresh-{n}" for n in (1, 2, 3)}


def held_alerts(summary: dict[str, Any]) -> list[str]:
    """The alerts of what is held that began to fire with this run."""
    return [name for name in summary["news"]["firing"] if name.startswith("held:")]


def held_and_told_once(ledger: Database, sandbox: SandboxServer, crew: Crew, reasons: set[str], sql: str = SQL) -> None:
    """The run sends what is fresh of the usual campaign and nothing else; people are notified with it, and once."""
    chunks, counts = stage("accident", guard=GUARD, sql=sql)
    assert why(ledger) == reasons
    assert counts["held"] == counts["new"] - 3 == states(ledger)["held"]
    summary, complaints = verdict("accident", counts, send(crew, chunks))
    assert requests(sandbox) == FRESH
    assert complaints == [], "the run is green"
    assert held_alerts(summary) == [f"held:{open_holds(ledger.connection)[0].id}"]
    chunks, counts = stage("next", guard=GUARD, sql=sql)
    assert (counts["new"], counts["held"], chunks) == (0, 0, [])
    assert held_alerts(verdict("next", counts, [])[0]) == []
    assert requests(sandbox) == FRESH


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_is_held_before_its_first_request_and_the_rest_goes_on(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, name: str
) -> None:
    accident, reasons = ACCIDENTS[name]
    accident(warehouse)
    put(warehouse, "18", "fresh", 3)
    held_and_told_once(ledger, sandbox, crew, reasons, ALL_AT_ONCE if accident is a_clock_ahead else SQL)


def test_a_code_that_is_changed_for_all_is_held(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    for customer, contacted_at in ledger.rows(
        "SELECT customer_id, contacted_at FROM wolkvox.codification WHERE campaign_id = '17' ORDER BY contacted_at DESC"
        " LIMIT %s",
        A_DAY,
    ):
        warehouse.execute(
            "INSERT INTO contacted_customers VALUES ('preview', '17', %s, '6', NULL, NULL, %s)", customer, contacted_at
        )
    put(warehouse, "18", "fresh", 3)
    held_and_told_once(ledger, sandbox, crew, {"volume", "changed"})


def test_what_an_empty_source_brings_all_at_once_is_held(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    live(ledger, until=2)
    all_at_once(warehouse)
    put(warehouse, "18", "fresh", 3)
    held_and_told_once(ledger, sandbox, crew, {"volume"})


def test_fresh_contacts_go_on_in_the_hour_after_an_accident(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    one_campaign(warehouse)
    stage("accident", guard=GUARD)
    put(warehouse, "17", "fresh", 3)
    chunks, counts = stage("next", guard=GUARD)
    assert (counts["new"], counts["held"]) == (3, 0)
    send(crew, chunks)
    assert requests(sandbox) == {f"preview/17/fresh-{n}" for n in (1, 2, 3)}


def test_what_is_released_is_sent_unless_a_later_contact_counts(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    put(warehouse, "17", "list", 300, at="now() - interval '1 minute'")
    stage("accident", guard=GUARD)
    put(warehouse, "17", "list", 2)
    send(crew, stage("later", guard=GUARD)[0])
    (hold,) = open_holds(ledger.connection)
    assert release(ledger.connection, hold.id, "Ana", "The campaign's list was bought yesterday.") == 300
    send(crew, stage("after", guard=GUARD)[0])
    assert {state: count for state, count in states(ledger).items() if state != "coded"} == {"superseded": 2}
    assert sandbox.stats()["codify_calls"] == 300
    assert ledger.value("SELECT count(*) FROM wolkvox.answer") == 0
    assert open_holds(ledger.connection) == []


def test_true_contacts_among_what_is_discarded_are_sent_once_the_query_is_mended(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    one_campaign(warehouse)
    stage("accident", guard=GUARD)
    (hold,) = open_holds(ledger.connection)
    warehouse.execute("DELETE FROM contacted_customers WHERE customer_id NOT IN ('list-1', 'list-2')")
    assert discard(ledger.connection, hold.id, "Ana", "The query had lost its WHERE.") == 5_000
    chunks, counts = stage("mended", guard=GUARD)
    assert (counts["new"], counts["held"]) == (2, 0)
    tallies = send(crew, chunks)
    assert requests(sandbox) == {"preview/17/list-1", "preview/17/list-2"}
    assert ledger.rows("SELECT reason, count(*) FROM wolkvox.codification WHERE state = 'invalid' GROUP BY 1") == [
        ("held_discarded", 5_000)
    ]
    summary, complaints = verdict("mended", counts, tallies)
    assert (complaints, summary["news"]["firing"]) == ([], {}), "what a person discarded is no alert of its own"


def test_one_customer_for_whom_a_person_asks_is_never_held(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    one_campaign(warehouse)
    stage("accident", guard=GUARD)
    send(crew, stage("by hand", guard=GUARD, by_hand=True, customer_id="list-7")[0])
    assert requests(sandbox) == {"preview/17/list-7"}
    assert states(ledger)["held"] == 4_999


@pytest.mark.parametrize(("afterwards", "became"), [("hold", "held"), ("discard", "invalid"), ("release", "pending")])
def test_after_some_hours_a_hold_is_dealt_with_as_the_entry_says(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer, afterwards: Any, became: str
) -> None:
    guard = Guard(hold=timedelta(hours=2), afterwards=afterwards)
    put(warehouse, "17", "list", 300)
    stage("accident", guard=guard)
    warehouse.execute("TRUNCATE contacted_customers")
    ledger.execute("UPDATE wolkvox.hold SET held_at = held_at - interval '1 hour'")
    stage("too early", guard=guard)
    assert states(ledger)["held"] == 300
    ledger.execute("UPDATE wolkvox.hold SET held_at = held_at - interval '1 hour'")
    stage("in time", guard=guard)
    assert states(ledger)[became] == 300
    assert ledger.rows("SELECT decided_by FROM wolkvox.hold") == [(None if afterwards == "hold" else "guard",)]


def test_a_dry_run_says_what_would_be_held_and_holds_nothing(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    one_campaign(warehouse)
    _, counts = stage("dry", guard=GUARD, dry_run=True)
    assert (counts["held"], counts["records"]) == (5_000, 0)
    assert (open_holds(ledger.connection), set(states(ledger))) == ([], {"coded"})


def test_a_young_ledger_holds_nothing_but_what_is_above_a_ceiling_that_is_set(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False)
    one_campaign(warehouse)
    assert stage("first", guard=GUARD)[1]["held"] == 0
    put(warehouse, "18", "list", 600)
    assert stage("second", guard=Guard(ceiling=500))[1]["held"] == 600
    assert why(ledger) == {"ceiling"}


def test_without_a_guard_nothing_is_held(
    operation: None, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    one_campaign(warehouse)
    assert stage("off")[1]["held"] == 0
    assert states(ledger)["pending"] == 5_000
