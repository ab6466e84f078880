"""The circuit breaker of an operation: it opens once, is tried after growing delays, and closes for all."""

from __future__ import annotations

import pytest
from conftest import Database
from failing import BREAKER, POLICY, Vendor

from wolkvox.ledger.breaker import Breaker, begin_trial, close_breaker, open_breaker, outage, trials_of_all, try_at_once
from wolkvox.rules.records import EVERYTHING_REFUSED


@pytest.fixture
def vendor(ledger: Database) -> Vendor:
    return Vendor(ledger)


def test_an_outage_is_known_until_it_ends_and_tried_after_growing_pauses(ledger: Database) -> None:
    connection, other = ledger.connection, Breaker("0041", 7, ("other", "run"), POLICY)
    assert outage(connection, "0041", 7) is None
    assert open_breaker(connection, BREAKER, "bad_token", "No.")
    assert not open_breaker(connection, other, "bad_token", "No.")
    known = outage(connection, "0041", 7)
    assert known is not None
    assert (known.reason, known.message, known.dag_id, known.over) == ("bad_token", "No.", "dag", False)
    assert not begin_trial(connection, "0041", POLICY), "not yet"
    pauses = []
    for _ in range(6):
        try_at_once(connection, "0041")
        assert begin_trial(connection, "0041", POLICY)
        assert not begin_trial(connection, "0041", POLICY), "one worker at a time"
        pauses.append(ledger.value("SELECT round(extract(epoch FROM until - now())) FROM wolkvox.circuit_breaker"))
    assert pauses == [120, 240, 480, 960, 960, 960]
    assert outage(connection, "0042", 7) is None
    assert outage(connection, "0041", 8) is None, "another token, or another address, is tried at once"
    assert open_breaker(connection, Breaker("0041", 8, ("dag", "run"), POLICY), "bad_token", "No.")
    close_breaker(connection, "0041")
    assert outage(connection, "0041", 8) is None


def test_an_outage_that_a_clock_ahead_has_put_off_is_tried(ledger: Database) -> None:
    open_breaker(ledger.connection, BREAKER, "bad_token", "No.")
    ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now() + interval '1 day'")
    known = outage(ledger.connection, "0041", 7)
    assert known is not None
    assert known.over
    assert begin_trial(ledger.connection, "0041", POLICY)


def test_what_was_suspended_in_an_outage_is_tried_as_soon_as_that_is_over(vendor: Vendor) -> None:
    connection = vendor.ledger.connection
    for reason, campaign in (("not_found", "1"), ("campaign_unknown", "2"), ("overloaded_500", "3")):
        vendor.ledger.execute(
            "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
            " VALUES ('0041', 'preview', %s, %s, now(), now() + interval '1 hour')",
            campaign,
            reason,
        )
    vendor.ledger.execute(
        "UPDATE wolkvox.suspended_campaign SET since = now() - interval '1 day' WHERE campaign_id = '3'"
    )
    open_breaker(connection, BREAKER, EVERYTHING_REFUSED, "message")
    close_breaker(connection, "0041")
    due = vendor.ledger.rows(
        "SELECT campaign_id FROM wolkvox.suspended_campaign WHERE until <= clock_timestamp() ORDER BY 1"
    )
    assert due == [("1",)], "the list of campaigns says no to 2, and 3 was at fault before"


def test_the_trials_of_an_outage_are_of_different_campaigns_and_never_the_same_record_twice(vendor: Vendor) -> None:
    records = {campaign: [vendor.record(campaign, "pending", sent=False) for _ in range(3)] for campaign in "1234"}
    vendor.ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
        " VALUES ('0041', 'preview', '4', 'not_found', now(), now() + interval '1 hour')"
    )
    tried: list[int] = []
    for _ in range(6):
        trials = trials_of_all(vendor.ledger.connection, "0041")
        assert len({record.campaign for record in trials}) == len(trials) == 3
        assert all(record.trial for record in trials)
        assert "4" not in {record.campaign_id for record in trials}, "a suspended one comes last"
        for record in trials:
            vendor.ledger.execute(
                "UPDATE wolkvox.codification SET sent_at = clock_timestamp() WHERE id = %s", record.id
            )
            tried.append(record.id)
    assert sorted(tried[:9]) == sorted(record for campaign in "123" for record in records[campaign])
    assert tried[9:] == tried[:9], "then those that were tried longest ago"


def test_a_suspended_campaign_tries_an_outage_when_there_is_no_other(vendor: Vendor) -> None:
    vendor.record("4", "pending", sent=False)
    vendor.ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
        " VALUES ('0041', 'preview', '4', 'not_found', now(), now() + interval '1 hour')"
    )
    assert [record.campaign_id for record in trials_of_all(vendor.ledger.connection, "0041")] == ["4"]


def test_a_record_that_is_put_off_tries_nothing(vendor: Vendor) -> None:
    vendor.record("1", "pending")
    vendor.ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour'")
    assert trials_of_all(vendor.ledger.connection, "0041") == []
