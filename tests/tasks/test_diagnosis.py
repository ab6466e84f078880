"""What a worker makes of failures, on a ledger in memory, with answers read from a script."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import pytest
from tasks.fakes import (
    AT_ONCE,
    BAD_TOKEN,
    BUSY,
    CODED,
    CONFLICT,
    MAINTENANCE,
    NOT_FOUND,
    OVERLOADED,
    REJECTED,
    SOON,
    UNKNOWN,
    UNREACHABLE,
    WRONG_ENDPOINT,
    Bench,
)

from wolkvox.errors import BreakerOpen
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.stop import Stop


@pytest.mark.parametrize("answer", [OVERLOADED, CONFLICT])
def test_another_record_is_sent_before_one_is_tried_again(answer: Answer) -> None:
    bench = Bench(2, {1: [answer, answer]})
    progress = bench.run(SOON)
    assert bench.sent == [1, 2, 1, 1]
    assert bench.attempts == {1: 3, 2: 1}
    assert (progress.requests, progress.done) == (4, 2)


@pytest.mark.parametrize("answer", [OVERLOADED, CONFLICT])
def test_a_record_whose_tries_are_used_up_is_the_next_runs_and_the_others_go_on(answer: Answer) -> None:
    bench = Bench(2, {1: [answer] * 9})
    progress = bench.run(SOON)
    assert bench.sent == [1, 2] + [1] * 4
    assert bench.states == ["pending", "coded"]
    assert (bench.settled[1].reason, bench.settled[1].delay, bench.attempts[1]) == (answer.reason, 0.0, 5)
    assert (progress.deferred, progress.done, bench.outages) == (1, 2, [])


def test_a_record_that_was_put_off_has_one_try_in_each_run() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    bench.attempts[1] = 6
    bench.deferred.add(1)
    bench.run()
    assert (bench.sent, bench.states) == ([1, 2], ["pending", "coded"])
    assert bench.settled[1].delay == 1_800.0


def test_a_record_is_given_up_at_the_eighth_request_of_its_life() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    bench.attempts[1] = 7
    bench.deferred.add(1)
    progress = bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["failed", "coded"]
    assert (bench.settled[1].reason, progress.states["failed"]) == ("overloaded_500", 1)


def test_no_request_of_a_record_that_is_taken_anew_within_a_run_counts_twice() -> None:
    bench = Bench(5, {1: [OVERLOADED], 2: [OVERLOADED], 3: [OVERLOADED], 4: [OVERLOADED], 5: [CONFLICT] * 9})
    bench.campaigns[5], bench.in_doubt_after = "18", 1

    def another(_: Iterable[Campaign]) -> Record | None:
        return bench.record(5) if bench.attempts[5] < AT_ONCE.tries else None

    with patch.object(bench, "another", another):
        bench.run()
    assert (bench.states[-1], bench.attempts[5]) == ("pending", AT_ONCE.tries)


def test_every_record_has_all_its_tries() -> None:
    bench = Bench(3, {record: [OVERLOADED] * 4 for record in (1, 2, 3)})
    bench.run()
    assert bench.states == ["coded"] * 3


@pytest.mark.parametrize("answer", [BUSY, UNREACHABLE])
def test_what_is_not_the_records_fault_is_no_attempt_of_it(answer: Answer) -> None:
    bench = Bench(2, {1: [answer] * 8})
    bench.run(replace(AT_ONCE, tries=2))
    assert bench.sent == [1] * 9 + [2]
    assert bench.states == ["coded", "coded"]
    assert bench.attempts == {1: 1, 2: 1}


def test_a_record_is_counted_once_in_a_run_however_often_it_fails() -> None:
    bench = Bench(3, {1: [OVERLOADED] * 5})
    bench.run(SOON)
    assert [(fault.record, fault.reason, fault.refused) for fault in bench.counted] == [(1, "overloaded_500", False)]


def test_a_long_wait_that_one_record_is_asked_for_stops_nobody_else() -> None:
    for answer in (OVERLOADED, CONFLICT, MAINTENANCE):
        bench = Bench(3, {1: [replace(answer, retry_after=120.0)]})
        began = time.monotonic()
        assert bench.run(RetryPolicy(), seconds=60.0).stopped is None
        assert (bench.sent, bench.states) == ([1, 2, 3], ["pending", "coded", "coded"])
        assert (bench.settled[1].delay, bench.outages) == (120.0, [])
        assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("records", [1, 12, 50])
def test_conflicts_are_never_an_outage_and_make_nobody_wait(records: int) -> None:
    """The dialler holds the very customers that were just reached: it says nothing of wolkvox."""
    bench = Bench(records + 1, {record: [CONFLICT] * 9 for record in range(1, records + 1)})
    bench.before_answer = lambda _: bench.failed.clear()
    began = time.monotonic()
    progress = bench.run(replace(SOON, first_wait=0.01, longest_wait=60.0))
    assert (progress.deferred, progress.stopped, bench.outages) == (records, None, [])
    assert set(bench.states) == {"pending", "coded"}
    assert all(fault.conflict for fault in bench.counted)
    assert time.monotonic() - began < 20.0


def test_a_conflict_is_never_what_an_outage_is_called_after() -> None:
    bench = Bench(4, {1: [UNKNOWN], 2: [UNKNOWN], 3: [UNKNOWN], 4: [CONFLICT] * 9})
    message = bench.fails(BreakerOpen, SOON)
    assert bench.outages == ["unknown_timeout"]
    assert "conflict" not in message


def test_a_record_that_is_blocked_while_others_pass_is_set_aside_after_three_requests() -> None:
    bench = Bench(80, {2: [MAINTENANCE] * 9})
    bench.before_answer = lambda _: time.sleep(0.005)
    progress = bench.run(SOON)
    places = [place for place, record in enumerate(bench.sent) if record == 2]
    assert len(places) == 3
    assert all(after - before > 1 for before, after in pairwise(places)), "others in between"
    assert (bench.states.count("coded"), bench.state[2], progress.stopped) == (79, "rejected", None)
    assert bench.settled[2].reason == "refused_403"
    assert bench.counted[-1].refused, "a campaign of which all are blocked is suspended in the end"


def test_a_record_that_passes_at_last_was_not_blocked() -> None:
    bench = Bench(60, {1: [MAINTENANCE] * 2})
    bench.before_answer = lambda _: time.sleep(0.005)
    bench.run(SOON)
    assert (bench.sent.count(1), set(bench.states)) == (3, {"coded"})


def test_when_all_are_blocked_nobody_is_set_aside() -> None:
    bench = Bench(30, {record: [MAINTENANCE] * 99 for record in range(1, 31)})
    bench.fails(BreakerOpen)
    assert (len(set(bench.sent)), set(bench.states)) == (10, {"pending"})
    assert +bench.attempts == Counter()


def test_a_record_that_is_blocked_with_no_other_to_compare_costs_one_request_a_run() -> None:
    bench = Bench(1, {1: [MAINTENANCE] * 99})
    began = time.monotonic()
    progress = bench.run(RetryPolicy(maintenance_wait=60.0))
    assert (bench.sent, bench.states, progress.deferred, bench.attempts[1]) == ([1], ["pending"], 1, 1)
    assert time.monotonic() - began < 30.0, "nothing is left to wait for"


def test_the_last_record_that_is_blocked_in_three_runs_in_which_others_pass_is_set_aside() -> None:
    bench = Bench(3, {3: [MAINTENANCE] * 9})
    for requests, state in ((1, "pending"), (2, "pending"), (3, "rejected")):
        bench.run()
        assert (bench.state[3], bench.sent.count(3)) == (state, requests)
        bench.state.update({1: "pending", 2: "pending"})  # the next run has others again
        if state == "pending":
            bench.deferred.add(3)
    assert bench.settled[3].reason == "refused_403"


def test_after_a_gateways_time_out_the_slot_is_silent_until_that_request_can_not_be_in_flight() -> None:
    bench = Bench(2, {1: [Answer(Kind.UNKNOWN, "unknown_504", "504", still_in_flight=True)]})
    bench.goes_on_for = 0.3
    sent: list[float] = []
    bench.before_answer = lambda _: sent.append(time.monotonic())
    bench.run()
    assert bench.sent == [1, 2]
    assert sent[1] - sent[0] >= 0.3


def test_a_record_that_comes_back_waits_for_the_silence_of_the_slot_too() -> None:
    bench = Bench(1, {1: [Answer(Kind.UNKNOWN, "unknown_504", "504", still_in_flight=True)]})
    bench.goes_on_for = 0.3
    sent: list[float] = []

    def note(record: int) -> None:
        sent.append(time.monotonic())
        if record == 1:
            bench.state[2] = "pending"  # while the only one was under way

    bench.before_answer = note
    bench.run()
    assert bench.sent == [1, 2]
    assert sent[1] - sent[0] >= 0.3


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, MAINTENANCE, UNREACHABLE])
def test_an_outage_that_outlasts_the_run_is_known_to_the_next_one(answer: Answer) -> None:
    """The next run would spend its whole time on it again, and so on for as long as it lasts."""
    bench = Bench(9, {record: [answer] * 99 for record in range(1, 10)})
    retry_policy = RetryPolicy(first_wait=0.01, longest_wait=60.0, maintenance_wait=0.01, outages=50)
    began = time.monotonic()
    with pytest.raises(BreakerOpen):
        bench.run(retry_policy, seconds=0.5)
    assert time.monotonic() - began < 5.0
    assert bench.outages == [answer.reason]


def test_an_outage_in_which_the_time_ends_between_two_requests_is_known_to_the_next_one() -> None:
    """The machine was busy: the wait was to end in time, and did not."""
    bench = Bench(9, {record: [OVERLOADED] * 99 for record in range(1, 10)})

    class Sleepy(Stop):
        def wait(self, seconds: float) -> bool:
            assert seconds < 1.0, "the wait would have ended in time"
            return super().wait(2.0 if len(bench.sent) == 3 else 0.0)

    bench.stop = Sleepy()
    with pytest.raises(BreakerOpen):
        bench.run(RetryPolicy(first_wait=0.01, longest_wait=0.01, outages=50), seconds=2.0)
    assert (len(bench.sent), bench.outages) == (4, ["overloaded_500"])


def test_when_no_record_is_left_three_that_failed_are_an_outage() -> None:
    bench = Bench(3, {record: [UNKNOWN] for record in (1, 2, 3)})
    bench.fails(BreakerOpen)
    assert bench.outages == ["unknown_timeout"]


def test_one_bad_answer_at_the_end_of_a_run_is_no_outage() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    assert bench.run(RetryPolicy(first_wait=5.0), seconds=0.05).stopped == "time"
    assert bench.outages == []


def test_one_record_that_fails_again_and_again_until_the_time_is_over_is_no_outage() -> None:
    for answer in (OVERLOADED, CONFLICT):
        bench = Bench(2, {1: [answer] * 9})
        assert (
            bench.run(RetryPolicy(first_wait=0.01, longest_wait=60.0, tries=50, requests=50), seconds=0.5).requests > 3
        )
        assert bench.outages == []


def test_a_request_that_never_left_is_given_back_to_the_day() -> None:
    bench = Bench(1, {1: [UNREACHABLE, UNREACHABLE]}, requests=1)
    assert bench.run().stopped is None
    assert bench.requests_left == 0


@pytest.mark.parametrize(("calls_before", "pause"), [(0, 0.0), (1, 900.0), (2, 1_800.0), (6, 28_800.0), (7, None)])
def test_an_answer_nobody_saw_puts_the_record_off_for_longer_each_time(calls_before: int, pause: float | None) -> None:
    bench = Bench(2, {1: [UNKNOWN]})
    bench.attempts[1] = calls_before
    bench.deferred.update({1} if calls_before else ())
    progress = bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["pending" if pause is not None else "failed", "coded"]
    assert (bench.settled[1].reason, bench.settled[1].delay) == ("unknown_timeout", pause)
    assert progress.unknown == 1


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, MAINTENANCE, UNREACHABLE, UNKNOWN])
def test_an_outage_ends_the_first_task_and_leaves_every_record_pending(answer: Answer) -> None:
    bench = Bench(20, {record: [answer] * 20 for record in range(1, 21)})
    message = bench.fails(BreakerOpen)
    assert len(set(bench.sent)) == (1 if answer in (BUSY, UNREACHABLE) else 10)
    assert bench.states == ["pending"] * 20
    assert message.startswith(f"Record after record fails, the last one {answer.reason} (code {answer.code}).")
    assert bench.outages == [answer.reason]
    attempts = 10 if answer is UNKNOWN else 0  # wolkvox may have coded those
    assert bench.attempts.total() == attempts


def test_an_outage_is_found_by_new_records_rather_than_by_the_same_ones_again() -> None:
    """Each request that tries a failed record once more tells nothing new, and waits longer than the one before."""
    bench = Bench(60, {record: [OVERLOADED] * 99 for record in range(1, 61)})
    bench.fails(BreakerOpen, RetryPolicy(first_wait=0.001, longest_wait=0.06, maintenance_wait=0.015))
    assert len(bench.sent) <= 12


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, UNREACHABLE, MAINTENANCE, UNKNOWN])
def test_an_outage_that_another_task_found_ends_this_one_at_its_first_failure(answer: Answer) -> None:
    bench = Bench(5, {1: [answer]})
    bench.before_answer = lambda _: setattr(bench, "known_faults", Faults(outage="overloaded_503"))
    assert bench.run().stopped == "outage"
    assert bench.sent == [1]
    assert bench.states == ["pending"] * 5


def test_records_of_other_tasks_that_failed_count_too() -> None:
    bench = Bench(5, {1: [UNKNOWN], 2: [UNKNOWN]})
    bench.failed = [101, 102, 103, 104, 105, 106, 107]
    assert bench.run().unknown == 2
    bench = Bench(5, {1: [UNKNOWN], 2: [UNKNOWN]})
    bench.failed = [101, 102, 103, 104, 105, 106, 107, 108]
    assert bench.fails(BreakerOpen).startswith("Record after record fails")


@pytest.mark.parametrize("answer", [BUSY, UNREACHABLE])
def test_what_another_worker_is_answered_tells_that_wolkvox_is_not_away(answer: Answer) -> None:
    bench = Bench(1, {1: [answer] * 25})
    bench.answered_elsewhere = True
    assert bench.run().stopped is None
    assert (bench.states, bench.outages) == (["coded"], [])


def test_two_tasks_that_find_an_outage_at_once_are_one_red_one() -> None:
    for answer in (UNREACHABLE, UNKNOWN, BAD_TOKEN):
        bench = Bench(20, {record: [answer] * 20 for record in range(1, 21)})
        bench.outage_known_to_others = True
        assert bench.run().stopped == "outage"
        assert len(bench.outages) == 1


def test_while_one_campaign_fails_a_record_of_another_one_tells_whose_fault_it_is() -> None:
    bench = Bench(60, {record: [UNKNOWN] for record in range(1, 50)})
    bench.campaigns = {60: "18"}
    bench.in_doubt_after = 9
    bench.fails(BreakerOpen)
    assert bench.sent[:9] == list(range(1, 10))
    bench = Bench(60, {record: [UNKNOWN] for record in range(1, 50)})
    bench.campaigns = {60: "18"}
    bench.in_doubt_after = 4
    bench.run(replace(AT_ONCE, outages=50))
    assert bench.sent[4] == 60, "out of its turn"
    assert bench.outages == []


@pytest.mark.parametrize("answer", [BUSY, UNREACHABLE, BAD_TOKEN, WRONG_ENDPOINT])
def test_while_an_outage_lasts_one_request_tries_when_it_says_all(answer: Answer) -> None:
    bench = Bench(3, {1: [answer]})
    bench.campaigns = {1: "17", 2: "18", 3: "19"}
    bench.known_faults = Faults(outage="overloaded_503")
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.states, bench.outages) == ([1], ["pending"] * 3, [])
    assert bench.attempts[1] == 0


@pytest.mark.parametrize("answer", [OVERLOADED, MAINTENANCE, UNKNOWN, CONFLICT])
def test_while_an_outage_lasts_records_of_three_campaigns_try_when_one_may_be_its_own_fault(answer: Answer) -> None:
    bench = Bench(8, {record: [answer] for record in range(1, 9)})
    bench.campaigns = {record: str(record // 2) for record in range(1, 9)}
    bench.known_faults = Faults(outage="overloaded_503")
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.states, bench.outages) == ([1, 2, 4], ["pending"] * 8, [])
    assert bench.attempts[1] == 1, "a trial is a request of the record's life"


def test_one_bad_record_does_not_keep_an_outage_that_is_over() -> None:
    for answer in (OVERLOADED, UNKNOWN, CONFLICT, MAINTENANCE):
        bench = Bench(4, {1: [answer] * 9})
        bench.campaigns = {1: "17", 2: "18", 3: "18", 4: "18"}
        bench.known_faults = Faults(outage="overloaded_503")
        assert bench.run().stopped is None
        assert bench.known_faults == Faults()
        assert bench.states[1:] == ["coded"] * 3


def test_when_no_trial_is_due_nothing_is_sent() -> None:
    bench = Bench(3)
    bench.known_faults, bench.trial_due = Faults(outage="overloaded_503"), False
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.requests_left) == ([], 1_000)


def test_an_allotment_of_one_record_tries_an_outage_with_one() -> None:
    bench = Bench(3, {record: [UNKNOWN] for record in (1, 2, 3)})
    bench.campaigns = {1: "17", 2: "18", 3: "19"}
    bench.known_faults = Faults(outage="overloaded_503")
    bench.run(records=1)
    assert bench.sent == [1]


@pytest.mark.parametrize("answer", [CODED, REJECTED, NOT_FOUND])
def test_an_answer_ends_the_outage(answer: Answer) -> None:
    bench = Bench(3, {1: [answer]})
    bench.known_faults = Faults(outage="overloaded_503")
    assert bench.run().stopped is None
    assert bench.known_faults == Faults()
    assert bench.states[1:] == ["coded", "coded"]


def test_of_a_host_that_refuses_everything_only_a_success_ends_the_outage() -> None:
    bench = Bench(3, {1: [REJECTED]})
    bench.known_faults = Faults(outage=EVERYTHING_REFUSED)
    assert bench.run().stopped == "outage"
    assert bench.states == ["pending"] * 3
    bench.trial_due = True
    assert bench.run().stopped is None
    assert bench.states == ["coded"] * 3


def test_when_everything_is_refused_the_first_task_says_so() -> None:
    bench = Bench(9, {record: [REJECTED] for record in range(1, 10)})
    bench.refuse_after = 4
    assert bench.fails(BreakerOpen).startswith("Everything is refused, over several campaigns, lastly with refused_422")
    assert (len(bench.sent), bench.outages) == (4, [EVERYTHING_REFUSED])
    assert bench.states == ["pending"] * 9


def test_one_answer_in_between_closes_the_breaker_again() -> None:
    bench = Bench(20, {record: [UNKNOWN] for record in range(1, 21) if record not in (9, 18)})
    assert bench.run().unknown == 18


def test_what_did_not_count_in_an_outage_does_when_it_is_over() -> None:
    """Requests are given back only to the records that met the outage itself."""
    bench = Bench(12, {1: [OVERLOADED], **{record: [OVERLOADED] * 9 for record in range(3, 13)}})
    bench.fails(BreakerOpen, replace(AT_ONCE, tries=1))
    assert (bench.attempts[1], bench.attempts[2], bench.attempts.total()) == (1, 1, 2)


def test_faults_are_told_without_ids() -> None:
    said = Answer(Kind.NOT_FOUND, "not_found", "404", "c2 and 1020304050 not found")
    bench = Bench(3, {1: [NOT_FOUND], 2: [said]})
    bench.campaigns[2] = "18"
    bench.run()
    assert [(fault.record, fault.campaign[1], fault.message, fault.refused) for fault in bench.counted] == [
        (1, "17", "404 NO RECORDS FOUND", True),
        (2, "18", "404 … AND … NOT FOUND", True),
    ]
    assert bench.states == ["rejected", "rejected", "coded"]


def test_a_campaign_that_is_suspended_meanwhile_is_left_and_the_others_go_on() -> None:
    bench = Bench(10, {record: [NOT_FOUND] for record in range(1, 10, 2)})
    bench.campaigns = dict.fromkeys(range(1, 10, 2), "666")
    bench.suspend_after = 2
    assert bench.run().stopped is None
    assert bench.sent == [1, 2, 3, 4, 6, 8, 10]
    assert bench.states[4::2] == ["pending"] * 3
    assert bench.requests_left == 993


def test_a_trial_of_a_suspended_campaign_that_is_coded_resumes_it() -> None:
    bench = Bench(3)
    bench.known_faults = Faults(frozenset({("preview", "17")}))
    bench.campaign_trial_due = True
    bench.run()
    assert bench.known_faults == Faults()
    assert bench.states == ["coded"] * 3


def test_a_trial_that_is_refused_waits_and_is_rejected_at_its_third_request() -> None:
    bench = Bench(2, {1: [NOT_FOUND], 2: [NOT_FOUND]})
    bench.known_faults = Faults(frozenset({("preview", "17")}))
    bench.campaign_trial_due = True
    bench.attempts[2] = 2
    bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["pending", "rejected"]
    assert (bench.settled[1].delay, bench.counted) == (0.0, [])
