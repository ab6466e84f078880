"""A dry run shows rows with masked ids, the difference from the last run, and requests against today's quota."""

from __future__ import annotations

from typing import Any

from conftest import Database
from contact_rows import INSERT
from crew import connect, fill, stage, states, verdict
from sandbox_server import SandboxServer


def previewed(**params: Any) -> dict[str, Any]:
    found: dict[str, Any] = stage("dry", dry_run=True, **params)[1]["preview"]
    return found


def test_twenty_rows_of_each_state_and_campaign_are_shown_with_masked_ids(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 30)
    fill(warehouse, 3, campaign="18")
    warehouse.execute(INSERT, "preview", "a customer 1001", "1002", "5", None, "secret", "2026-01-01")
    warehouse.execute("UPDATE contacted_customers SET contacted_at = now() WHERE comment = 'secret'")
    found = previewed()
    assert [
        (one["state"], one["type_campaign"], one["campaign_id"], one["records"], len(one["rows"]))
        for one in found["groups"]
    ] == [("pending", "preview", "17", 30, 20), ("pending", "preview", "18", 3, 3), ("invalid", None, None, 1, 1)]
    assert found["groups"][0]["rows"][0]["customer_id"] == "•••r-1"
    assert found["groups"][2]["rows"][0]["reason"] == "campaign_id_not_digits"
    assert "secret" not in str(found)
    assert "1001" not in str(found)
    assert states(ledger) == {}


def test_requests_and_minutes_stand_beside_what_today_has_left(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False, licenses=1, quota_reserve=100)
    fill(warehouse, 30)
    found = previewed()
    assert (found["requests"], found["requests_left"]) == (30, 900)
    assert sandbox.stats()["calls"] == 0


def test_the_difference_from_the_last_run_is_shown(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False)
    assert previewed()["change"] == {}
    fill(warehouse, 5)
    verdict("first", stage("first")[1], [])
    fill(warehouse, 3, first=10)
    assert previewed()["change"] == {"pulled": 3, "new": -2, "held": 0, "invalid": 0, "known": 5, "records": 3}


def test_a_run_that_sends_has_no_preview(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    connect(sandbox, preflight=False)
    assert "preview" not in stage()[1]
