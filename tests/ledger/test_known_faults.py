"""Faults are counted over all workers, by different records and campaigns; refusals in a row settle nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from conftest import Database

from wolkvox.ledger import streaks
from wolkvox.ledger.breaker import Breaker, begin_trial, close_breaker, open_breaker, outage, trials_of_all, try_at_once
from wolkvox.ledger.connection import Connection, connected
from wolkvox.ledger.faults import answered_since, count_fault, judge, revert_attempts
from wolkvox.ledger.suspension import campaign_trials, resume, suspended_campaigns
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import EVERYTHING_REFUSED, Faults
from wolkvox.rules.retry_policy import RetryPolicy

POLICY = RetryPolicy(refusals=10)
BREAKER = Breaker("0041", 7, ("dag", "run"), POLICY)
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, settled_at, sent_at,
    chunk_id
)
VALUES (
    gen_random_uuid(), '0041', 'preview', %s, 'c', '5', clock_timestamp(), %s,
    CASE WHEN %s <> 'pending' THEN clock_timestamp() END, CASE WHEN %s THEN clock_timestamp() END, 'chunk'
)
RETURNING id
"""


class Vendor:
    """Settles records and counts faults, as the loops of several workers do."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger

    def record(self, campaign: str, state: str, *, sent: bool = True) -> int:
        ((record,),) = self.ledger.rows(INSERT, campaign, state, state, sent)
        return int(record)

    def send(self, record: int) -> None:
        self.ledger.execute("UPDATE wolkvox.codification SET sent_at = clock_timestamp() WHERE id = %s", record)

    def code(self, campaign: str = "17") -> None:
        self.record(campaign, "coded")

    def refuse(self, campaign: str = "17", message: str = "404 NO", record: int | None = None) -> Faults:
        record = record or self.record(campaign, "rejected")
        return self.count(Fault(record, ("preview", campaign), "not_found", message, "Look.", refused=True))

    def fail(self, campaign: str = "17", record: int | None = None, *, conflict: bool = False) -> Faults:
        return self.count(self.fault(campaign, record, conflict=conflict))

    def fault(self, campaign: str = "17", record: int | None = None, *, conflict: bool = False) -> Fault:
        record = record or self.record(campaign, "pending")
        reason = "conflict_409" if conflict else "overloaded_500"
        return Fault(record, ("preview", campaign), reason, "500 OOPS", "Look.", refused=False, conflict=conflict)

    def count(self, fault: Fault, connection: Connection | None = None) -> Faults:
        return count_fault(connection or self.ledger.connection, BREAKER, fault)

    def states(self) -> dict[str, int]:
        return dict(self.ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))

    def suspended(self) -> list[str]:
        return [campaign.campaign_id for campaign in suspended_campaigns(self.ledger.connection, "0041")]

    def outage(self) -> str | None:
        known = outage(self.ledger.connection, "0041", 7)
        return None if known is None else known.reason


@pytest.fixture
def vendor(ledger: Database) -> Vendor:
    return Vendor(ledger)


# Refusals


def test_a_streak_of_refusals_suspends_the_campaign_and_settles_nothing(vendor: Vendor) -> None:
    assert [vendor.refuse() for _ in range(9)] == [Faults()] * 9
    assert (vendor.suspended(), vendor.states()) == ([], {"rejected": 9})
    assert vendor.refuse() == Faults()
    assert (vendor.suspended(), vendor.states()) == (["17"], {"pending": 10})
    (campaign,) = suspended_campaigns(vendor.ledger.connection, "0041")
    assert (campaign.reason, campaign.message) == ("not_found", "404 NO")
    assert campaign.until - campaign.since == timedelta(minutes=15)


def test_refusals_in_any_words_are_one_streak(vendor: Vendor) -> None:
    """A campaign that is closed says so with the request's number, the time of day or a text of its own."""
    for number in range(10):
        vendor.refuse(message=f"422 CAMPAIGN IS CLOSED (REQUEST {number:016X})" if number % 3 else "404 NO")
    assert (vendor.suspended(), vendor.states()) == (["17"], {"pending": 10})


def test_a_success_ends_the_streak_whichever_worker_had_it(vendor: Vendor) -> None:
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
def test_any_answer_to_any_worker_ends_a_streak_of_failures(vendor: Vendor, answered: str) -> None:
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


@pytest.mark.parametrize("kind", ["refusals", "failures", "conflicts"])
def test_a_streak_stays_small_however_long_it_lasts(vendor: Vendor, kind: str) -> None:
    vendor.record("17", "pending", sent=False)  # so that it is doubtful whose fault it is
    for _ in range(120):
        if kind == "refusals":
            vendor.ledger.execute("DELETE FROM wolkvox.suspended_campaign")
            vendor.refuse("666")
        else:
            vendor.fail("666", conflict=kind == "conflicts")
    longest = (
        "SELECT coalesce(max(greatest(cardinality(refused), cardinality(failed))), 0) FROM wolkvox.consecutive_failures"
    )
    assert vendor.ledger.value(longest) <= 20


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
    """One has counted its record for its campaign, not yet for all; the other one forgets all streaks."""
    for campaign in ("slow", *"ababababab"[:8]):
        vendor.fail(campaign)
    add, halfway, never = streaks.add, Event(), Event()

    def slow(*arguments: Any) -> Any:
        failures = add(*arguments)
        if arguments[2] == ("preview", "slow"):
            halfway.set()
            never.wait(1.0)
        return failures

    monkeypatch.setattr(streaks, "add", slow)
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


# Outages


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


# Trials of suspended campaigns


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
