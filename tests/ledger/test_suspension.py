"""Suspended campaigns: three records try each, after growing delays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Database
from failing import POLICY, Vendor

from wolkvox.ledger.suspension import campaign_trials, resume


@pytest.fixture
def vendor(ledger: Database) -> Vendor:
    return Vendor(ledger)


@pytest.fixture
def suspend(vendor: Vendor) -> Callable[[str], None]:
    def suspend(campaign: str) -> None:
        vendor.ledger.execute(
            "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
            " VALUES ('0041', 'preview', %s, 'not_found', now(), now() - interval '1 second')",
            campaign,
        )

    return suspend


def test_when_its_pause_is_over_three_records_try_a_campaign_and_the_pause_grows(
    vendor: Vendor, suspend: Callable[[str], None]
) -> None:
    records = [vendor.record("666", "pending", sent=False) for _ in range(7)]
    suspend("666")
    pauses, tried = [], []
    for _ in range(8):
        trials = campaign_trials(vendor.ledger.connection, "0041", POLICY, 20)
        assert campaign_trials(vendor.ledger.connection, "0041", POLICY, 20) == [], "one worker tries it"
        assert len(trials) == 3
        for record in trials:
            assert record.trial
            vendor.ledger.execute(
                "UPDATE wolkvox.codification SET sent_at = clock_timestamp() WHERE id = %s", record.id
            )
            tried.append(record.id)
        pauses.append(
            vendor.ledger.value(
                "SELECT round(extract(epoch FROM until - clock_timestamp()) / 60) FROM wolkvox.suspended_campaign"
            )
        )
        vendor.ledger.execute("UPDATE wolkvox.suspended_campaign SET until = now() - interval '1 second'")
    assert pauses == [30, 60, 120, 240, 480, 480, 480, 480]
    assert set(tried[:9]) == set(records), "others than before, as long as there are any"


def test_a_worker_that_takes_few_records_tries_with_few(vendor: Vendor, suspend: Callable[[str], None]) -> None:
    for campaign in ("666", "667"):
        for _ in range(5):
            vendor.record(campaign, "pending", sent=False)
        suspend(campaign)
    assert len(campaign_trials(vendor.ledger.connection, "0041", POLICY, 1)) == 1
    assert len(campaign_trials(vendor.ledger.connection, "0041", POLICY, 2)) == 2
    assert campaign_trials(vendor.ledger.connection, "0041", POLICY, 20) == [], "both had their trial"


def test_a_suspended_campaign_of_which_nothing_waits_is_free_again(
    vendor: Vendor, suspend: Callable[[str], None]
) -> None:
    suspend("666")
    assert campaign_trials(vendor.ledger.connection, "0041", POLICY, 20) == []
    assert vendor.suspended() == []


def test_a_campaign_that_is_resumed_is_sent_again(vendor: Vendor, suspend: Callable[[str], None]) -> None:
    suspend("666")
    suspend("667")
    resume(vendor.ledger.connection, "0041", ("preview", "666"))
    assert vendor.suspended() == ["667"]
