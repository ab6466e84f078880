"""The loop of a worker, on a ledger in memory, with answers read from a script."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from tasks.fakes import (
    BAD_TOKEN,
    BUSY,
    MAINTENANCE,
    NOT_FOUND,
    OVERLOADED,
    QUOTA,
    REJECTED,
    WRONG_ENDPOINT,
    Bench,
)

from wolkvox.errors import BadToken, Stopped, WolkvoxError, WrongEndpoint
from wolkvox.rules.answers import Answer
from wolkvox.rules.records import EVERYTHING_REFUSED, Faults, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.states import State
from wolkvox.stop import Stop


def test_every_record_is_sent_once_in_the_ledgers_order() -> None:
    bench = Bench(4)
    progress = bench.run()
    assert bench.sent == [1, 2, 3, 4]
    assert bench.states == ["coded"] * 4
    assert bench.settled[4] == Settled(4, State.CODED, None, "202", "customer_id has been coded", True, None)
    assert (progress.done, progress.requests, progress.stopped) == (4, 4, None)
    assert (bench.requests_left, bench.closed) == (996, 1)


def test_a_record_costs_one_round_trip_and_the_last_one_two() -> None:
    bench = Bench(100)
    bench.run()
    assert bench.round_trips == 101


def test_where_nothing_waits_no_request_is_made() -> None:
    bench = Bench(0)
    assert bench.run().requests == 0
    assert (bench.requests_left, bench.closed) == (1_000, 1)


# What a worker takes


def test_what_came_in_a_moment_ago_goes_next_whatever_waits() -> None:
    bench = Bench(1_000, requests=2_000)

    def come_in(record: int) -> None:
        if record == 5:
            bench.state = {2_000: "pending", **bench.state}  # the newest

    bench.before_answer = come_in
    bench.run()
    assert bench.sent[20] == 2_000, "after the few that were taken before it came"
    assert (len(bench.sent), set(bench.states)) == (1_001, {"coded"})


def test_it_takes_as_many_as_two_seconds_work() -> None:
    bench = Bench(60)
    bench.run()
    assert [len(taken) for taken in bench.took] == [20, 20, 20, 0]
    slow = Bench(24)
    slow.before_answer = lambda _: time.sleep(0.2)
    slow.run()
    assert [len(taken) for taken in slow.took[:2]] == [20, 4]
    assert all(len(taken) <= 10 for taken in slow.took[1:])


@pytest.mark.parametrize("records", [1, 3, 25])
def test_it_takes_no_more_than_its_allotment_and_leaves_the_rest_as_it_is(records: int) -> None:
    bench = Bench(40)
    progress = bench.run(records=records)
    assert (bench.sent, progress.done, progress.stopped) == (list(range(1, records + 1)), records, None)
    assert bench.states[records:] == ["pending"] * (40 - records)


def test_a_record_that_is_tried_again_is_one_of_the_allotment() -> None:
    bench = Bench(5, {1: [OVERLOADED] * 2, 2: [BUSY] * 3})
    bench.run(records=3)
    assert bench.states == ["coded"] * 3 + ["pending"] * 2
    assert (bench.sent.count(1), bench.sent.count(2)) == (3, 4)


def test_records_that_come_back_while_it_runs_are_sent_too() -> None:
    bench = Bench(2)
    bench.before_answer = lambda record: bench.state.update({3: "pending"}) if record == 2 else None
    assert bench.run().done == 3
    assert bench.sent == [1, 2, 3]


def test_a_record_that_another_worker_took_is_not_sent_and_costs_nothing() -> None:
    bench = Bench(4)
    bench.before_answer = lambda record: bench.taken_by_others.update({2, 3}) if record == 1 else None
    progress = bench.run()
    assert bench.sent == [1, 4]
    assert bench.settled.keys() == {1, 4}
    assert (progress.done, bench.requests_left) == (2, 998)


def test_what_came_in_while_it_closed_is_sent_by_it() -> None:
    bench = Bench(1)
    close = bench.close

    def something_came() -> bool:
        if bench.closed == 0:
            bench.state[2] = "pending"
        return close()

    bench.close = something_came  # type: ignore[method-assign]
    bench.run()
    assert (bench.sent, bench.closed) == ([1, 2], 2)


# With nothing left it waits for more


@pytest.fixture
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wolkvox.tasks.codify.POLL_EVERY", 0.02)


@pytest.mark.usefixtures("quick_polls")
def test_the_last_worker_waits_for_more_and_sends_it_at_once() -> None:
    bench = Bench(1)
    began = time.monotonic()
    answered: list[float] = []
    bench.before_answer = lambda _: answered.append(time.monotonic() - began)
    is_last = bench.is_last

    def come_in() -> bool:
        if time.monotonic() - began > 0.2:
            bench.state.setdefault(2, "pending")
        return is_last()

    bench.is_last = come_in  # type: ignore[method-assign]
    bench.run(linger=0.5)
    assert bench.sent == [1, 2]
    assert 0.2 <= answered[1] < 0.4
    assert time.monotonic() - began >= answered[1] + 0.5, "it waits as long again"


@pytest.mark.usefixtures("quick_polls")
@pytest.mark.parametrize("why", ["another worker is left", "another operation waits", "nothing said of waiting"])
def test_nobody_waits_in_vain(why: str) -> None:
    bench = Bench(1)
    bench.last = why != "another worker is left"
    bench.awaited = why == "another operation waits"
    began = time.monotonic()
    bench.run(linger=0.0 if why == "nothing said of waiting" else 60.0)
    assert time.monotonic() - began < 5.0
    assert bench.closed == 1


@pytest.mark.usefixtures("quick_polls")
def test_told_to_stop_while_it_waits_for_more_it_ends_at_once() -> None:
    bench = Bench(1)
    is_last = bench.is_last

    def told() -> bool:
        bench.stop.set()
        return is_last()

    bench.is_last = told  # type: ignore[method-assign]
    began = time.monotonic()
    assert bench.run(linger=60.0).done == 1
    assert time.monotonic() - began < 5.0


@pytest.mark.usefixtures("quick_polls")
def test_after_its_turn_a_worker_leaves_the_slot_to_an_operation_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wolkvox.tasks.codify.YIELD_AFTER", 0.2)
    bench = Bench(10_000)
    bench.awaited = True
    bench.before_answer = lambda _: time.sleep(0.005)
    assert bench.run(seconds=30.0).stopped == "time"
    assert 5 < len(bench.sent) < 1_000
    alone = Bench(60)
    alone.before_answer = lambda _: time.sleep(0.005)
    assert alone.run().stopped is None


# One bad record, and the others


def test_a_refused_record_does_not_stop_the_others() -> None:
    bench = Bench(3, {1: [REJECTED], 2: [NOT_FOUND]})
    progress = bench.run()
    assert bench.states == ["rejected", "rejected", "coded"]
    assert bench.settled[1] == Settled(1, State.REJECTED, "refused_422", "422", "El codAct no es valido", True)
    assert progress.states == {"rejected": 2, "coded": 1}


@pytest.mark.usefixtures("quick_polls")
def test_an_outage_that_another_task_found_ends_this_one_though_its_own_records_pass() -> None:
    bench = Bench(5_000)
    bench.trial_due = False

    def found(record: int) -> None:
        time.sleep(0.002)
        if record == 5:
            bench.known_faults = Faults(outage=EVERYTHING_REFUSED)

    bench.before_answer = found
    assert bench.run().stopped == "outage"
    assert len(bench.sent) < 500


# What ends a worker


def test_when_its_time_is_over_the_worker_ends_cleanly() -> None:
    bench = Bench(3)
    bench.before_answer = lambda _: time.sleep(2.0)
    progress = bench.run(seconds=3.0)
    assert progress.stopped == "time"
    assert bench.states == ["coded", "coded", "pending"]
    assert bench.requests_left == 998


def test_no_pause_outlasts_the_workers_time() -> None:
    bench = Bench(2, {1: [BUSY]})
    began = time.monotonic()
    assert bench.run(RetryPolicy(first_wait=3_600.0, longest_wait=3_600.0), seconds=0.05).stopped == "time"
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(("answer", "error"), [(BAD_TOKEN, BadToken), (WRONG_ENDPOINT, WrongEndpoint)])
def test_a_refusal_of_everybody_ends_the_run_at_once(answer: Answer, error: type[WolkvoxError]) -> None:
    bench = Bench(3, {2: [answer]})
    message = bench.fails(error)
    assert bench.sent == [1, 2]
    assert bench.states == ["coded", "pending", "pending"]
    assert f"(code {answer.code})" in message


def test_the_ledgers_last_request_of_the_day_ends_the_worker_cleanly() -> None:
    bench = Bench(5, requests=3)
    assert bench.run().stopped == "quota"
    assert bench.states == ["coded", "coded", "coded", "pending", "pending"]


def test_the_vendors_limit_ends_the_worker_cleanly() -> None:
    bench = Bench(5, {3: [QUOTA]})
    progress = bench.run()
    assert (progress.stopped, progress.done, progress.requests) == ("quota", 2, 3)
    assert bench.exhausted_said
    assert bench.states == ["coded", "coded", "pending", "pending", "pending"]
    assert bench.attempts[3] == 0


def test_told_to_stop_it_ends_after_the_request_in_flight() -> None:
    bench = Bench(5)
    bench.before_answer = lambda record: bench.stop.set() if record == 2 else None
    assert bench.fails(Stopped) == (
        "Told to stop: 2 records sent (0 of them with an unknown outcome); all others are still pending."
    )
    assert bench.states == ["coded", "coded", "pending", "pending", "pending"]


def test_told_to_stop_it_does_not_wait_for_a_retry() -> None:
    for answer in (MAINTENANCE, OVERLOADED, BUSY):
        bench = Bench(2, {1: [answer]})
        bench.before_answer = lambda _, bench=bench: bench.stop.set()  # type: ignore[misc]
        bench.fails(Stopped, RetryPolicy(maintenance_wait=3_600.0, first_wait=3_600.0, longest_wait=3_600.0))
        assert bench.states == ["pending", "pending"]


def test_told_to_stop_at_its_last_request_it_is_done() -> None:
    bench = Bench(2)
    bench.before_answer = lambda record: bench.stop.set() if record == 2 else None
    assert bench.run().done == 2
    assert bench.states == ["coded", "coded"]


def test_the_vendors_wait_is_kept_to_and_bounded() -> None:
    waits: list[float] = []

    class Watch(Stop):
        def wait(self, timeout: float) -> bool:
            waits.append(timeout)
            return False

    hints = (7.0, 9_000.0, 0.0)
    bench = Bench(1, {1: [replace(BUSY, retry_after=seconds) for seconds in hints]})
    bench.stop = Watch()
    retry_policy = RetryPolicy(longest_retry_after=300.0, first_wait=1.0, longest_wait=20.0)

    class Clock:
        """Waits take no time: each one is over as soon as it was asked for."""

        now = time.monotonic()

        def monotonic(self) -> float:
            return self.now + sum(waits)

    with pytest.MonkeyPatch.context() as patched:
        for module in ("codify", "diagnosis"):
            patched.setattr(f"wolkvox.tasks.{module}.time", Clock())
        bench.run(retry_policy)
    assert [round(wait, 3) for wait in waits[:2]] == [7.0, 300.0]
    assert 2.0 <= waits[2] <= 4.0, "a hint of 0 is no sooner than our own wait"
    assert len(waits) == 3


def test_progress_is_reported_at_the_start_on_the_way_and_at_the_end() -> None:
    done: list[int] = []
    Bench(3).run(report=lambda progress: done.append(progress.done))
    assert done == [0, 1, 2, 3, 3]


def test_a_record_is_not_tried_again_once_a_later_contact_of_its_customer_has_come() -> None:
    bench = Bench(3, {1: [OVERLOADED]}, requests=10)
    bench.before_answer = lambda record: bench.outdated.add(1) if record == 2 else None
    bench.run()
    assert (bench.sent, bench.states, bench.requests_left) == ([1, 2, 3], ["superseded", "coded", "coded"], 7)
