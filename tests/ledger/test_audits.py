"""Whether wolkvox shows what it was told: exactly what it lost or shows otherwise is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Database
from crew import Crew, age, another_night, connect, fill, send, stage, states, task
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.page.reading import known_of
from wolkvox.rules.audit import AuditRules
from wolkvox.tasks.audit import audit_operation

NAMED = "SELECT customer_id, audit, shown FROM wolkvox.codification WHERE audit IS NOT NULL ORDER BY 2, 1"


def audit(days: int = 31, *, resend: bool = False, most: float = 0.0) -> tuple[dict[str, Any], str | None]:
    """What the task ``audit`` does."""
    another_night()
    with WolkvoxHook() as wolkvox:
        return audit_operation(task("audit", "wolkvox_audit"), wolkvox, AuditRules(days, resend, most))


@pytest.fixture
def sent(ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew) -> None:
    """300 contacts of two campaigns, of which wolkvox loses 7 and shows 5 otherwise."""
    sandbox.control(
        latency=0.0,
        lost=[f"customer-{n}" for n in range(1, 8)],
        shows={f"customer-{n}": "99" for n in range(11, 16)},
        members={"17": [f"customer-{n}" for n in range(1, 201)], "18": [f"customer-{n}" for n in range(201, 301)]},
    )
    fill(warehouse, 200)
    fill(warehouse, 100, first=201, campaign="18")
    send(crew)
    assert states(ledger) == {"coded": 300}
    age(ledger)


def test_exactly_what_was_lost_or_is_shown_otherwise_is_named(
    sent: None, ledger: Database, sandbox: SandboxServer
) -> None:
    before = sandbox.stats()["calls"]
    summary, complaint = audit()
    assert sandbox.stats()["calls"] - before == 2, "one call a campaign"
    assert (summary["confirmed"], summary["mismatch"], summary["missing"]) == (288, 5, 7)
    assert summary["campaigns"] == {
        "preview 17": {"confirmed": 188, "open_again": 0, "overtaken": 0, "mismatch": 5, "missing": 7}
    }
    assert ledger.rows(NAMED) == [
        *[(f"customer-{n}", "mismatch", "99") for n in range(11, 16)],
        *[(f"customer-{n}", "missing", None) for n in range(1, 8)],
    ]
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE confirmed_at IS NOT NULL") == 288
    assert complaint is not None
    assert "preview 17 (7 missing, 5 with another code)" in complaint
    assert "preview 18" not in complaint
    assert "customer-" not in f"{summary} {complaint}"


def test_a_share_of_them_may_be_tolerated(sent: None) -> None:
    assert audit(most=0.039)[1] is not None
    assert audit(most=0.041)[1] is None


def test_what_is_found_right_later_is_no_longer_named(sent: None, ledger: Database, sandbox: SandboxServer) -> None:
    audit()
    everything = {f"customer-{n}": "5" for n in range(1, 201)}
    sandbox.control(codes={"17": everything}, lost=[], shows={})
    summary, _ = audit()
    assert summary["missing"] == 0
    assert {row[1] for row in ledger.rows(NAMED)} <= {"mismatch"}


def test_what_is_missing_is_offered_again_if_asked_for(
    sent: None, ledger: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(lost=[])
    assert audit(resend=True)[0]["offered_again"] == 7
    assert states(ledger) == {"coded": 293, "pending": 7}
    send(crew, "again")
    assert states(ledger) == {"coded": 300}
    age(ledger)
    assert audit()[0]["missing"] == 0


def test_of_two_codes_of_a_customer_the_last_one_counts(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    for place, code in enumerate(("5", "6")):
        warehouse.execute(
            "INSERT INTO contacted_customers"
            " VALUES ('preview', '17', '1', %s, NULL, NULL, now() - %s * interval '1 hour')",
            code,
            2 - place,
        )
        send(crew, f"run {code}")
    assert states(ledger) == {"coded": 2}
    summary = audit()[0]
    assert {name: summary[name] for name in summary if not name.startswith("impact")} == {
        "operation": "0041",
        "confirmed": 1,
        "open_again": 0,
        "overtaken": 0,
        "mismatch": 0,
        "missing": 0,
        "offered_again": 0,
        "not_verifiable": [],
        "dials_not_verifiable": {},
        "campaigns": {},
        "breaches": {},
    }


def test_an_export_that_cannot_be_had_concludes_nothing(sent: None, ledger: Database, sandbox: SandboxServer) -> None:
    sandbox.reset()  # it knows of no campaign any more
    summary, complaint = audit()
    assert summary["not_verifiable"] == ["preview 17", "preview 18"]
    assert complaint is not None
    assert "Nothing can be said of 300 of 300 coded contacts" in complaint
    assert "preview 17, preview 18" in complaint
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE audited_at IS NOT NULL") == 0


def test_older_contacts_than_asked_for_are_left_alone(sent: None, ledger: Database, sandbox: SandboxServer) -> None:
    ledger.execute("UPDATE wolkvox.codification SET settled_at = settled_at - interval '3 days'")
    before = sandbox.stats()["calls"]
    assert audit(days=2)[0]["confirmed"] == 0
    assert sandbox.stats()["calls"] == before


def test_no_call_is_made_beyond_the_days(sent: None, ledger: Database, sandbox: SandboxServer) -> None:
    connect(sandbox, licenses=1)
    ledger.execute("UPDATE wolkvox.quota SET requests = request_limit")
    before = sandbox.stats()["calls"]
    assert audit()[0]["not_verifiable"] == ["preview 17", "preview 18"]
    assert sandbox.stats()["calls"] == before


def test_the_time_line_shows_what_was_found(sent: None) -> None:
    audit()
    last = {n: known_of(f"customer-{n}", unmasked=True).contacts[0]["events"][-1] for n in (1, 11, 20)}
    assert {n: (event["name"], event["code"]) for n, event in last.items()} == {
        1: ("missing", None),
        11: ("mismatch", "99"),
        20: ("confirmed", None),
    }


def test_a_second_code_counts_where_wolkvox_shows_second_codes(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    for customer in ("1", "2"):
        warehouse.execute(
            "INSERT INTO contacted_customers VALUES ('preview', '17', %s, '5', '7', NULL, now())", customer
        )
    send(crew)
    age(ledger)
    ledger.execute("UPDATE wolkvox.codification SET cod_act_2 = '8' WHERE customer_id = '2'")
    assert [audit()[0][name] for name in ("confirmed", "mismatch")] == [1, 1]
    sandbox.reset()
    sandbox.control(codes={"17": {"1": "5", "2": "5"}})  # an operation without second codes
    assert [audit()[0][name] for name in ("confirmed", "mismatch")] == [2, 0]


def test_what_is_missing_is_not_sent_after_a_later_contact_of_the_customer(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    """An earlier code would take the place of the last one."""
    sandbox.control(lost=["1", "2"], members={"17": ["1", "2"]})
    insert = (
        "INSERT INTO contacted_customers VALUES ('preview', '17', %s, %s, NULL, NULL, now() - %s * interval '1 hour')"
    )
    for customer in ("1", "2"):
        warehouse.execute(insert, customer, "5", 2)
    send(crew, "first")
    age(ledger)
    assert audit()[0]["missing"] == 2
    sandbox.control(lost=[])
    warehouse.execute(insert, "1", "6", 1)
    send(crew, "second")  # the first customer's later code is there now
    warehouse.execute(insert, "2", "6", 1)
    stage("third")  # the second one's waits
    assert audit(resend=True)[0]["offered_again"] == 0
