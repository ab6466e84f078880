"""Faults are counted over all workers, by different records and campaigns; consecutive refusals settle no record."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from conftest import Database
from failing import BREAKER, Vendor

from wolkvox.ledger import consecutive_failures
from wolkvox.ledger.connection import connected
from wolkvox.ledger.faults import answered_since, judge, revert_attempts
from wolkvox.ledger.suspension import suspended_campaigns
from wolkvox.rules.records import EVERYTHING_REFUSED, Faults


@pytest.fixture
def vendor(ledger: Database) -> Vendor:
    return Vendor(ledger)


# Refusals


def test_refusals_in_a_row_suspend_the_campaign_and_settle_nothing(vendor: Vendor) -> None:
    assert [vendor.refuse() for _ in range(9)] == [Faults()] * 9
    assert (vendor.suspended(), vendor.states()) == ([], {"rejected": 9})
    assert vendor.refuse() == Faults()
    assert (vendor.suspended(), vendor.states()) == (["17"], {"pending": 10})
    (campaign,) = suspended_campaigns(vendor.ledger.connection, "0041")
    assert (campaign.reason, campaign.message) == ("not_found", "404 NO")
    assert campaign.until - campaign.since == timedelta(minutes=15)


def test_refusals_with_any_message_count_together(vendor: Vendor) -> None:
    """A campaign that is closed says so with the request's number, the time of day or a text of its own."""
    for number in range(10):
        vendor.refuse(message=f"422 CAMPAIGN IS CLOSED (REQUEST {number:016X})" if number % 3 else "404 NO")
    assert (vendor.suspended(), vendor.states()) == (["17"], {"pending": 10})


def test_a_success_of_any_worker_ends_the_failures_in_a_row(vendor: Vendor) -> None:
    for _ in range(9):
        vendor.refuse()
    vendor.code()
    for _ in range(9):
        vendor.refuse()
    assert (vendor.suspended(), vendor.states()) == ([], {"rejected": 18, "coded": 1})


def test_a_success_of_another_campaign_frees_no_dead_one(vendor: Vendor) -> None:
    for _ in range(10):
        vendor.code("18")
        vendor.refuse()
    assert (vendor.suspended(), vendor.states()) == (["17"], {"pending": 10, "coded": 10})


def test_a_record_that_is_refused_twice_counts_once(vendor: Vendor) -> None:
    record = vendor.record("17", "rejected")
    for _ in range(20):
        vendor.refuse(record=record)
    assert (vendor.suspended(), vendor.states()) == ([], {"rejected": 1})


def test_a_refusal_of_everything_over_several_campaigns_begins_an_outage_and_settles_nothing(vendor: Vendor) -> None:
    messages = ["400 SOME PARAMETERS ARE REQUIRED", "422 EL CODACT NO ES VALIDO"] * 5
    found = [vendor.refuse(str(number % 5), messages[number]) for number in range(10)]
    assert found == [Faults()] * 9 + [Faults(outage=EVERYTHING_REFUSED, first=True)]
    assert (vendor.suspended(), vendor.states()) == ([], {"pending": 10})
    assert vendor.outage() == EVERYTHING_REFUSED, "it is known before anybody else is refused"


def test_a_dead_campaign_and_one_refusal_of_another_are_no_outage(vendor: Vendor) -> None:
    for _ in range(10):
        vendor.refuse("666")
    assert vendor.refuse("17") == Faults()
    assert (vendor.suspended(), vendor.states()) == (["666"], {"pending": 10, "rejected": 1})


def test_three_campaigns_that_refuse_everybody_keep_nothing_from_a_fourth(vendor: Vendor) -> None:
    vendor.code("17")
    for _ in range(10):
        for campaign in ("666", "667", "668"):
            if campaign not in vendor.suspended():
                vendor.refuse(campaign, f"404 {campaign}")
        vendor.code("17")
    assert (vendor.suspended(), vendor.outage()) == (["666", "667", "668"], None)


# Failures


def test_ten_different_records_of_several_campaigns_are_an_outage_that_is_known_at_once(vendor: Vendor) -> None:
    found = [vendor.fail(str(number % 2)) for number in range(10)]
    assert found == [Faults()] * 9 + [Faults(outage="overloaded_500", first=True)]
    assert (vendor.outage(), vendor.suspended()) == ("overloaded_500", [])
    failures = "SELECT cardinality(failed) FROM wolkvox.consecutive_failures WHERE campaign_id = %s"
    assert vendor.ledger.value(failures, "") == 0, "the next outage is counted from its beginning"
    assert vendor.ledger.value(failures, "1") == 5, "once another campaign passes, this tells that it is dead"


def test_ten_different_records_of_the_only_campaign_are_an_outage(vendor: Vendor) -> None:
    assert [vendor.fail().outage for _ in range(10)] == [None] * 9 + ["overloaded_500"]


def test_one_record_that_fails_ten_times_is_nobody_elses_fault(vendor: Vendor) -> None:
    record = vendor.record("17", "pending")
    assert {vendor.fail(record=record) for _ in range(30)} == {Faults()}
    assert (vendor.outage(), vendor.suspended()) == (None, [])


@pytest.mark.parametrize("answered", ["coded", "rejected"])
def test_any_answer_to_any_worker_ends_the_failures_in_a_row(vendor: Vendor, answered: str) -> None:
    for _ in range(9):
        vendor.fail()
    vendor.record("18", answered)
    assert [vendor.fail() for _ in range(9)][:8] == [Faults()] * 8
    assert vendor.outage() is None


def test_what_an_export_settles_is_no_answer(vendor: Vendor) -> None:
    for _ in range(9):
        vendor.fail()
    record = vendor.record("17", "coded")
    vendor.ledger.execute("UPDATE wolkvox.codification SET chunk_id = NULL WHERE id = %s", record)
    assert vendor.fail().outage == "overloaded_500"


def test_a_campaign_whose_records_fail_while_others_pass_is_suspended(vendor: Vendor) -> None:
    for _ in range(10):
        vendor.code("17")
        assert vendor.fail("666") == Faults()
    assert (vendor.suspended(), vendor.outage()) == (["666"], None)
    (campaign,) = suspended_campaigns(vendor.ledger.connection, "0041")
    assert (campaign.reason, campaign.message) == ("overloaded_500", "500 OOPS")


def test_while_one_campaign_fails_another_ones_record_is_asked_for(vendor: Vendor) -> None:
    vendor.record("17", "pending", sent=False)
    found = [vendor.fail("666") for _ in range(10)]
    assert found == [Faults()] * 9 + [Faults(in_doubt=frozenset({("preview", "666")}))]
    assert (vendor.outage(), vendor.suspended()) == (None, [])
    assert vendor.fail("17") == Faults(outage="overloaded_500", first=True), "it fails too"


def test_when_the_other_ones_record_passes_the_campaign_is_suspended(vendor: Vendor) -> None:
    vendor.record("17", "pending", sent=False)
    for _ in range(10):
        vendor.fail("666")
    vendor.code("17")
    assert vendor.fail("666") == Faults()
    assert (vendor.suspended(), vendor.outage()) == (["666"], None)


def test_a_campaign_that_fails_while_nothing_of_another_can_be_sent_is_suspended_not_the_operation(
    vendor: Vendor,
) -> None:
    vendor.code("17")
    for _ in range(10):
        vendor.fail("666")
    assert (vendor.suspended(), vendor.outage()) == (["666"], None)


def test_what_was_answered_before_the_first_failure_says_nothing_of_the_others(vendor: Vendor) -> None:
    """The only campaign: a refusal of an hour ago is no sign that others pass while it fails."""
    for _ in range(2):
        vendor.refuse()
    vendor.ledger.execute("UPDATE wolkvox.consecutive_failures SET failed_since = failed_since - interval '1 hour'")
    assert [vendor.fail().outage for _ in range(10)][-1] == "overloaded_500"
    assert vendor.suspended() == []


def test_failures_of_before_a_success_suspend_nobody_at_a_refusal(vendor: Vendor) -> None:
    vendor.record("17", "pending", sent=False)
    for _ in range(10):
        vendor.fail("666")
    vendor.code("666")
    vendor.refuse("666")
    assert vendor.suspended() == []


@pytest.mark.parametrize("conflicts", [1, 10, 50])
def test_conflicts_are_never_an_outage(vendor: Vendor, conflicts: int) -> None:
    for _ in range(conflicts):
        assert vendor.fail(conflict=True) == Faults()
    assert vendor.outage() is None
    assert judge(vendor.ledger.connection, BREAKER, vendor.fault()) == Faults()


def test_a_campaign_of_which_all_records_are_in_conflict_while_others_pass_is_suspended(vendor: Vendor) -> None:
    for _ in range(10):
        vendor.code("17")
        vendor.fail("666", conflict=True)
    assert vendor.suspended() == ["666"]


# When nothing is left that could tell


def test_three_records_that_failed_in_a_row_are_an_outage_when_nothing_is_left(vendor: Vendor) -> None:
    for _ in range(3):
        vendor.fail()
    assert judge(vendor.ledger.connection, BREAKER, vendor.fault()) == Faults(outage="overloaded_500", first=True)
    assert vendor.outage() == "overloaded_500"


@pytest.mark.parametrize("why", ["two records", "one record", "one campaign of two", "an answer since"])
def test_less_is_no_outage(vendor: Vendor, why: str) -> None:
    record = vendor.record("17", "pending") if why == "one record" else None
    for _ in range(2 if why == "two records" else 5):
        vendor.fail(record=record)
    if why == "one campaign of two":
        vendor.record("18", "pending", sent=False)
    if why == "an answer since":
        vendor.record("17", "rejected")
    assert judge(vendor.ledger.connection, BREAKER, vendor.fault()) == Faults()
    assert vendor.outage() is None


# Two workers at once


def test_two_workers_that_find_an_outage_at_once_wait_for_each_other(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has counted its record for its campaign, not yet for all; the other one forgets all failures in a row."""
    for campaign in ("slow", *"ababababab"[:8]):
        vendor.fail(campaign)
    add, halfway, never = consecutive_failures.add, Event(), Event()

    def slow(*arguments: Any) -> Any:
        failures = add(*arguments)
        if arguments[2] == ("preview", "slow"):
            halfway.set()
            never.wait(1.0)
        return failures

    monkeypatch.setattr(consecutive_failures, "add", slow)
    found: list[Faults] = []

    def count(campaign: str) -> None:
        with connected("wolkvox_ledger") as connection:
            found.append(vendor.count(fault_of[campaign], connection))

    fault_of = {campaign: vendor.fault(campaign) for campaign in ("slow", "quick")}
    threads = [Thread(target=count, args=("slow",)), Thread(target=count, args=("quick",))]
    threads[0].start()
    halfway.wait(10.0)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert [one.outage for one in found].count("overloaded_500") >= 1
    assert len(found) == 2, "neither was ended by a deadlock"


def test_requests_that_met_an_outage_are_taken_back_from_the_records_of_the_chunk(vendor: Vendor) -> None:
    mine, other = vendor.record("17", "failed"), vendor.record("17", "failed")
    vendor.ledger.execute("UPDATE wolkvox.codification SET attempts = 5")
    vendor.ledger.execute("UPDATE wolkvox.codification SET chunk_id = 'other' WHERE id = %s", other)
    revert_attempts(vendor.ledger.connection, "chunk", {mine: 3, other: 3})
    assert vendor.ledger.rows("SELECT state, attempts FROM wolkvox.codification ORDER BY id") == [
        ("pending", 2),
        ("failed", 5),
    ]


def test_wolkvox_has_answered_when_somebody_was_coded_or_refused(vendor: Vendor) -> None:
    connection = vendor.ledger.connection
    before = vendor.ledger.value("SELECT clock_timestamp()")
    vendor.record("17", "pending")
    assert not answered_since(connection, "0041", before)
    vendor.record("17", "rejected")
    assert answered_since(connection, "0041", before)
    assert not answered_since(connection, "0041", vendor.ledger.value("SELECT clock_timestamp()"))
