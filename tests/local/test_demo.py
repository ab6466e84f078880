"""The demo's contacts, and how it tells that both sides agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import demo
from local.demo import EXPECTED, HICCUPS, Outcome, Pace, differences, table, totals

if TYPE_CHECKING:
    from conftest import Database

CUSTOMERS = EXPECTED["coded"] + EXPECTED["rejected"]


def _outcome() -> Outcome:
    """A demo that went well."""
    requests = {f"preview/15501/{n}": 1 for n in range(CUSTOMERS - len(HICCUPS))}
    requests |= {f"preview/15501/{customer}": 2 for customer in HICCUPS}
    return Outcome(
        run_state="success",
        verdict={"coded": EXPECTED["coded"], "rejected": EXPECTED["rejected"], "failed": 0, "requests": 11_146},
        ledger=Counter({("preview/15501", state): number for state, number in EXPECTED.items()}),
        attempts=11_146,
        sandbox={
            "coded": EXPECTED["coded"],
            "codify_calls": 11_146,
            "calls_per_record": requests,
            "quota_used": 11_147,
            "peak_in_flight": 2,
        },
    )


def test_the_warehouse_holds_what_the_demo_expects(warehouse: Database) -> None:
    statement = Path(demo.__file__).with_name("demo_contacts.sql").read_text()
    start = datetime(2026, 3, 1, tzinfo=timezone.utc)
    seeded = warehouse.connection.execute(statement.encode(), {"start": start}).rowcount
    assert seeded == sum(EXPECTED.values()) + 60 == 11_461
    assert warehouse.value("SELECT count(*) FROM (SELECT DISTINCT * FROM contacted_customers) AS kept") == 11_401
    campaigns = dict(warehouse.rows("SELECT campaign_id, count(*) FROM contacted_customers GROUP BY 1"))
    assert campaigns["15501"] == 10_001
    known = {customer for (customer,) in warehouse.rows("SELECT customer_id FROM contacted_customers")}
    assert known >= {*demo.UNKNOWN, *demo.REFUSED, *demo.HICCUPS}
    assert warehouse.value(
        "SELECT bool_and(contacted_at >= %s AND contacted_at < %s) FROM contacted_customers",
        start,
        start.replace(day=2),
    )


def test_sides_that_agree_are_no_failure() -> None:
    assert differences(_outcome()) == []


@pytest.mark.parametrize(
    ("side", "change", "said"),
    [
        ("run_state", "failed", "the DAG run is failed"),
        ("attempts", 11_147, "requests: ledger 11147"),
        ("sandbox", {"coded": 1}, "the ledger has 11093 coded, the sandbox 1"),
        ("sandbox", {"peak_in_flight": 3}, "3 requests were in flight at once"),
        ("sandbox", {"codify_calls": 1}, "sandbox 1"),
        ("sandbox", {"calls_per_record": {}}, "sent by campaign"),
        ("verdict", {"coded": 1}, "the verdict's XCom differs"),
        ("ledger", {("preview/15501", "pending"): 1}, "'pending': 1"),
    ],
)
def test_a_side_that_differs_is_a_failure(side: str, change: Any, said: str) -> None:
    good = _outcome()
    if side == "ledger":
        change = good.ledger + Counter(change)
    elif isinstance(change, dict):
        change = getattr(good, side) | change
    changes: dict[str, Any] = {side: change}
    assert any(said in what for what in differences(replace(good, **changes)))


def test_a_run_without_a_verdict_is_shown_all_the_same() -> None:
    outcome = replace(_outcome(), run_state="failed", verdict={})
    assert "0 coded" in totals(outcome)
    assert table(outcome).row_count == 2


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    told = [pace.tell(*counts) for counts in [(0.0, 0, 100), (5.0, 50, 50), (20.0, 60, 40), (25.0, 80, 20)]]
    assert told == ["", "10/s, 5 s left", "", "4/s, 5 s left"]
