"""Campaigns that wolkvox doesn't have, or has as another type, cost no call and lose nothing."""

from __future__ import annotations

import pytest
from conftest import Database
from crew import Crew, connect, fill, send, stage, states, verdict
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook

SUSPENDED = "SELECT type_campaign, campaign_id, reason, message FROM wolkvox.suspended_campaign ORDER BY campaign_id"


@pytest.fixture(autouse=True)
def curious(ledger: Database) -> None:
    """This operation asks, unlike that of other tests."""
    ledger.execute("DELETE FROM wolkvox.campaign_sync")


def looked_an_hour_ago(ledger: Database) -> None:
    ledger.execute("UPDATE wolkvox.campaign_sync SET synced_at = synced_at - interval '61 minutes'")
    ledger.execute("UPDATE wolkvox.suspended_campaign SET until = until - interval '61 minutes'")


def test_a_campaign_that_is_not_there_and_one_of_the_other_type_cost_one_call_and_no_put(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"15502": "preview", "17": "preview"})
    fill(warehouse, 2_000, campaign="999")
    fill(warehouse, 500, first=5_001, campaign="15502")
    warehouse.execute("UPDATE contacted_customers SET type_campaign = 'predictive' WHERE campaign_id = '15502'")
    fill(warehouse, 20, first=9_001)
    send(crew, "first")
    stats = sandbox.stats()
    assert (stats["codify_calls"], stats["calls"]) == (20, 20 + 2)  # the day's requests, and the campaigns
    assert ledger.rows(SUSPENDED) == [
        ("predictive", "15502", "campaign_type", "in wolkvox, campaign 15502 is preview, not predictive"),
        ("preview", "999", "campaign_unknown", "wolkvox has no campaign 999"),
    ]
    assert states(ledger) == {"coded": 20, "pending": 2_500}


def test_nothing_is_asked_again_within_the_hour_and_nothing_of_them_is_tried(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=True)
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5, campaign="999")
    for run in ("first", "second", "third"):
        send(crew, run)
    assert (sandbox.stats()["codify_calls"], sandbox.stats()["calls"]) == (0, 3 + 1)


def test_corrected_at_the_vendor_they_go_out_with_the_next_look(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 30, campaign="999")
    send(crew, "first")
    sandbox.control(campaigns={"17": "preview", "999": "preview"})
    send(crew, "within the hour")
    assert states(ledger) == {"pending": 30}
    looked_an_hour_ago(ledger)
    send(crew, "next look")
    assert states(ledger) == {"coded": 30}
    assert ledger.rows(SUSPENDED) == []


def test_whoever_waits_for_it_has_it_looked_at_at_once(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5, campaign="999")
    send(crew, "first")
    sandbox.control(campaigns={"999": "preview"})
    send(crew, "by hand", by_hand=True)
    assert states(ledger) == {"coded": 5}


def test_a_list_that_leaves_out_a_campaign_whose_records_were_coded_since_the_last_look_suspends_nothing(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that a cache on the way kept for too long, or the first page of several."""
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5)
    send(crew, "first")
    looked_an_hour_ago(ledger)
    monkeypatch.setattr(WolkvoxHook, "campaigns", lambda _: [{"campaign_id": "18", "type_campaign": "preview"}])
    fill(warehouse, 5, first=6)
    fill(warehouse, 3, first=20, campaign="999")
    send(crew, "second")
    assert states(ledger) == {"coded": 10, "pending": 3}
    assert [row[1] for row in ledger.rows(SUSPENDED)] == ["999"]


def test_what_was_coded_before_the_last_look_is_no_evidence(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5)
    send(crew, "first")
    ledger.execute(
        "UPDATE wolkvox.codification SET"
        " (sent_at, settled_at) = (sent_at - interval '2 hours', settled_at - interval '2 hours')"
    )
    looked_an_hour_ago(ledger)
    sandbox.control(campaigns={"18": "preview"})
    fill(warehouse, 5, first=6)
    send(crew, "second")
    assert [row[1] for row in ledger.rows(SUSPENDED)] == ["17"]


def test_a_look_of_a_clock_that_was_ahead_puts_off_no_other(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5)
    send(crew, "first")
    ledger.execute("UPDATE wolkvox.campaign_sync SET synced_at = synced_at + interval '30 days'")
    fill(warehouse, 5, campaign="999")
    send(crew, "second")
    assert [row[1] for row in ledger.rows(SUSPENDED)] == ["999"]
    assert ledger.value("SELECT synced_at <= clock_timestamp() FROM wolkvox.campaign_sync")


def test_corrected_in_the_warehouse_they_are_other_contacts_and_go_out_at_once(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5, campaign="999")
    send(crew, "first")
    warehouse.execute("UPDATE contacted_customers SET campaign_id = '17'")
    send(crew, "second")
    assert states(ledger) == {"coded": 5, "pending": 5}


@pytest.mark.parametrize("odd", [None, {}])
def test_what_cannot_be_read_suspends_nobody(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, odd: dict[str, str] | None
) -> None:
    sandbox.control(campaigns=odd, default_fault=[{"kind": "string_code", "repeat": True}])
    fill(warehouse, 5)
    send(crew, "first")
    assert states(ledger) == {"coded": 5}
    assert ledger.rows(SUSPENDED) == []


def test_when_the_next_look_fails_they_are_tried_as_any_suspended_campaign_is(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5, campaign="999")
    send(crew, "first")
    sandbox.control(campaigns=None)
    looked_an_hour_ago(ledger)
    send(crew, "second")
    assert ledger.rows(SUSPENDED) == [], "one was taken: the campaign is free"
    assert states(ledger) == {"coded": 5}


def test_without_a_preflight_nothing_is_asked(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(campaigns={"18": "preview", "17": "preview"})
    fill(warehouse, 5)
    send(crew, "first")
    assert (sandbox.stats()["calls"], states(ledger)) == (5, {"coded": 5})


def test_people_are_told_once_by_its_own_message(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    sandbox.control(campaigns={"17": "preview"})
    fill(warehouse, 5, campaign="999")
    _, counts = stage("first")
    summary, red = verdict("first", counts, [])
    assert red == []
    (message,) = summary["news"]["firing"].values()
    assert "Campaign preview 999 is suspended since" in message
    assert "wolkvox has no campaign 999. Nothing of it is sent" in message
    _, counts = stage("second")
    assert verdict("second", counts, [])[0]["news"]["firing"] == {}
