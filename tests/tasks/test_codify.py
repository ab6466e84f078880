"""The loop of a worker, on a ledger in memory, with answers read from a script."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from itertools import pairwise
from unittest.mock import patch

import pytest

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WolkvoxError, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record, Settled
from wolkvox.rules.retry_policy import TRIALS, RetryPolicy
from wolkvox.stop import Stop
from wolkvox.tasks.codify import backoff, codify
from wolkvox.tasks.worker import Allotment, Progress

AT_ONCE = RetryPolicy(first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
SOON = RetryPolicy(
    first_wait=0.01, longest_wait=0.01, maintenance_wait=0.0
)  # others pass before a record is tried again
CODED = Answer(Kind.CODED, None, "202", "customer_id has been coded")
REJECTED = Answer(Kind.REJECTED, "refused_422", "422", "El codAct no es valido")
NOT_FOUND = Answer(Kind.NOT_FOUND, "not_found", "404", "NO RECORDS FOUND")
OVERLOADED = Answer(Kind.OVERLOADED, "overloaded_500", "500", "oops")
CONFLICT = Answer(Kind.CONFLICT, "conflict_409", "409", "is being dialled")
BUSY = Answer(Kind.BUSY, "busy", "403")
MAINTENANCE = Answer(Kind.MAINTENANCE, "maintenance", "403")
UNREACHABLE = Answer(Kind.UNREACHABLE, "unreachable_refused")
UNKNOWN = Answer(Kind.UNKNOWN, "unknown_timeout")
QUOTA = Answer(Kind.QUOTA, "quota", "403", "TOKEN LIMIT EXCEEDED")
BAD_TOKEN = Answer(Kind.BAD_TOKEN, "bad_token", "403")
WRONG_ENDPOINT = Answer(Kind.WRONG_ENDPOINT, "wrong_endpoint", "400")


class Bench:
    """
    A ledger, a quota and a vendor, all in memory, that write down what they are asked to do.

    Records are those of campaign 17 unless ``campaigns`` says otherwise; the first one is the newest.
    """

    def __init__(self, records: int, answers: dict[int, Sequence[Answer]] | None = None, requests: int = 1_000) -> None:
        self.state = dict.fromkeys(range(1, records + 1), "pending")
        self.settled: dict[int, Settled] = {}
        self.attempts: Counter[int] = Counter()
        self.taken_by_others: set[int] = set()
        self.outdated: set[int] = set()
        self.sent: list[int] = []
        self.took: list[list[int]] = []
        self.round_trips = 0
        self.requests_left = requests
        self.exhausted_said = False
        self.known = Faults()
        self.trial_due = True
        self.campaign_trial_due = False  # of suspended campaigns
        self.suspend_after = self.refuse_after = 1_000  # refusals
        self.counted: list[Fault] = []
        self.failed: list[int] = []  # different records in a row, of all workers
        self.in_doubt_after = 1_000  # of them: then a record of another campaign is asked for
        self.outages: list[str] = []
        self.reverted: Counter[int] = Counter()
        self.outage_known_to_others = False
        self.answered_elsewhere = False
        self.answered_at: list[datetime] = []
        self.deferred: set[int] = set()
        self.campaigns: dict[int, str] = {}
        self.goes_on_for = 0.0
        self.last, self.awaited, self.closed = True, False, 0
        self.stop = Stop()
        self.retry_policy = AT_ONCE
        self.before_answer: Callable[[int], None] = lambda _: None
        self._had_their_turn: set[int] = set()
        self._answers = defaultdict(list, {record: list(script) for record, script in (answers or {}).items()})

    def waiting(self) -> list[Record]:
        return [
            self.record(record)
            for record, state in self.state.items()
            if state == "pending" and record not in self.taken_by_others | self._had_their_turn
        ]

    def record(self, record: int) -> Record:
        campaign, deferred = self.campaigns.get(record, "17"), record in self.deferred
        requests = self.attempts[record]
        return Record(record, "preview", campaign, f"c{record}", "5", None, None, requests, deferred)

    def take(self, most: int, kept: Sequence[int]) -> Sequence[Record]:
        assert most > 0
        assert all(self.state[record] == "pending" for record in kept)
        free = [record for record in self.waiting() if record.campaign not in self.known.suspended][:most]
        if self.campaign_trial_due:
            free = [record._replace(trial=True) for record in self.waiting()][:TRIALS]
        self.took.append([record.id for record in free])
        return free

    def trials(self) -> Sequence[Record]:
        due, self.trial_due = self.trial_due, False
        of_each = {record.campaign: record for record in reversed(self.waiting())}
        return [record._replace(trial=True) for record in reversed(of_each.values())][:TRIALS] if due else []

    def another(self, campaigns: Iterable[Campaign]) -> Record | None:
        known = set(campaigns)
        return next((one._replace(trial=True) for one in self.waiting() if one.campaign not in known), None)

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        self.round_trips += 1
        if settled is not None:
            assert self.state[settled.id] == "sending"
            self.state[settled.id] = settled.state
            self.settled[settled.id] = settled
            self.attempts[settled.id] += settled.counts
            if settled.state in ("coded", "rejected"):
                self.answered_at.append(self.now())
                self.failed.clear()
        if following is None or following in self.taken_by_others:
            return False
        assert self.state[following] == "pending"
        self.state[following] = "sending"
        self._had_their_turn.add(following)
        return True

    def still_in_flight(self, record: int) -> float:
        assert self.state[record] == "sending", "until this is noted, the record guards its slot"
        return self.goes_on_for

    def faults(self) -> Faults:
        return self.known

    def count(self, fault: Fault) -> Faults:
        assert self.state[fault.record] != "sending", "it is settled before it is counted"
        self.counted.append(fault)
        if self.known.outage:
            return self.known
        if fault.refused:
            return self._count_refusal(fault)
        if not fault.conflict and fault.record not in self.failed:
            self.failed.append(fault.record)
        if len(self.failed) >= self.retry_policy.outages:
            return self._open(fault.reason)
        in_doubt = self.failed if len(self.failed) >= self.in_doubt_after else ()
        return replace(self.known, in_doubt=frozenset(self.record(record).campaign for record in in_doubt))

    def _count_refusal(self, fault: Fault) -> Faults:
        refused = [one.record for one in self.counted if one.refused]
        if len(refused) >= self.refuse_after:
            self.state.update(dict.fromkeys(refused, "pending"))
            return self._open(EVERYTHING_REFUSED)
        if len(refused) >= self.suspend_after:
            self.known = Faults(frozenset({fault.campaign}))
        return self.known

    def judge(self, fault: Fault) -> Faults:
        return self._open(fault.reason) if len(self.failed) >= self.retry_policy.sure else Faults()

    def _open(self, reason: str) -> Faults:
        return Faults(outage=reason, first=self.open_breaker(reason, ""))

    def resume(self, campaign: Campaign) -> None:
        self.known = replace(self.known, suspended=self.known.suspended - {campaign})

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def answered_since(self, since: datetime) -> bool:
        return self.answered_elsewhere or any(at >= since for at in self.answered_at)

    def open_breaker(self, reason: str, message: str) -> bool:
        self.outages.append(reason)
        return not self.outage_known_to_others

    def revert_attempts(self, requests: Mapping[int, int]) -> None:
        self.reverted.update(requests)
        self.attempts.subtract(requests)
        self.state.update(dict.fromkeys(requests, "pending"))

    def close_breaker(self) -> None:
        self.known = replace(self.known, outage=None)

    def close(self) -> bool:
        self.closed += 1
        return not [record for record in self.waiting() if record.campaign not in self.known.suspended]

    def is_held_up(self) -> bool:
        return False

    def is_outdated(self, record: Record) -> bool:
        if record.id in self.outdated:
            self.state[record.id] = "superseded"
        return record.id in self.outdated

    def is_last(self) -> bool:
        return self.last

    def is_awaited(self) -> bool:
        return self.awaited

    def send(self, record: Record) -> Answer:
        assert self.state[record.id] == "sending", "a record is marked before it is sent"
        assert list(self.state.values()).count("sending") == 1
        self.sent.append(record.id)
        self.before_answer(record.id)
        script = self._answers[record.id]
        return script.pop(0) if script else CODED

    def run(
        self,
        retry_policy: RetryPolicy = AT_ONCE,
        report: Callable[[Progress], None] = lambda _: None,
        seconds: float = 3_600.0,
        records: int = 10_000,
        linger: float = 0.0,
    ) -> Progress:
        """Do what a worker of another run does."""
        self.retry_policy = retry_policy
        self._had_their_turn.clear()
        return codify(
            ledger=self,
            send=self.send,
            quota=Requests(self),
            stop=self.stop,
            retry_policy=retry_policy,
            allotment=Allotment(records, seconds, linger),
            report=report,
            report_every=0.0,
        )

    def fails(self, error: type[WolkvoxError], retry_policy: RetryPolicy = AT_ONCE) -> str:
        """What the error says that ends the run."""
        with pytest.raises(error) as raised:
            self.run(retry_policy)
        return str(raised.value)

    @property
    def states(self) -> list[str]:
        return list(self.state.values())


class Requests:
    """The day's requests of a bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def acquire(self) -> bool:
        if self.bench.requests_left <= 0 or self.bench.exhausted_said:
            return False
        self.bench.requests_left -= 1
        return True

    def release(self) -> None:
        self.bench.requests_left += 1

    def mark_exhausted(self) -> None:
        self.bench.exhausted_said = True


def test_every_record_is_sent_once_in_the_ledgers_order() -> None:
    bench = Bench(4)
    progress = bench.run()
    assert bench.sent == [1, 2, 3, 4]
    assert bench.states == ["coded"] * 4
    assert bench.settled[4] == Settled(4, "coded", None, "202", "customer_id has been coded", True, None)
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
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wolkvox.tasks.codify.LOOK", 0.02)


@pytest.mark.usefixtures("quick_looks")
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


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("why", ["another worker is left", "another operation waits", "nothing said of waiting"])
def test_nobody_waits_in_vain(why: str) -> None:
    bench = Bench(1)
    bench.last = why != "another worker is left"
    bench.awaited = why == "another operation waits"
    began = time.monotonic()
    bench.run(linger=0.0 if why == "nothing said of waiting" else 60.0)
    assert time.monotonic() - began < 5.0
    assert bench.closed == 1


@pytest.mark.usefixtures("quick_looks")
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


@pytest.mark.usefixtures("quick_looks")
def test_after_its_turn_a_worker_leaves_the_slot_to_an_operation_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wolkvox.tasks.codify.TURN", 0.2)
    bench = Bench(10_000)
    bench.awaited = True
    bench.before_answer = lambda _: time.sleep(0.005)
    assert bench.run(seconds=30.0).stopped == "time"
    assert 5 < len(bench.sent) < 1_000
    alone = Bench(60)
    alone.before_answer = lambda _: time.sleep(0.005)
    assert alone.run().stopped is None


# One record's fault


def test_a_refused_record_does_not_stop_the_others() -> None:
    bench = Bench(3, {1: [REJECTED], 2: [NOT_FOUND]})
    progress = bench.run()
    assert bench.states == ["rejected", "rejected", "coded"]
    assert bench.settled[1] == Settled(1, "rejected", "refused_422", "422", "El codAct no es valido", True)
    assert progress.states == {"rejected": 2, "coded": 1}


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
    assert (bench.settled[1].reason, bench.settled[1].pause, bench.attempts[1]) == (answer.reason, 0.0, 5)
    assert (progress.deferred, progress.done, bench.outages) == (1, 2, [])


def test_a_record_that_was_put_off_has_one_try_in_each_run() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    bench.attempts[1] = 6
    bench.deferred.add(1)
    bench.run()
    assert (bench.sent, bench.states) == ([1, 2], ["pending", "coded"])
    assert bench.settled[1].pause == 1_800.0


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
        assert (bench.settled[1].pause, bench.outages) == (120.0, [])
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


# What is blocked on its way


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


# Gateways that gave up


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


# A run's time that ends in a fault


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
    assert (bench.settled[1].reason, bench.settled[1].pause) == ("unknown_timeout", pause)
    assert progress.unknown == 1


# Outages


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
    bench.before_answer = lambda _: setattr(bench, "known", Faults(outage="overloaded_503"))
    assert bench.run().stopped == "outage"
    assert bench.sent == [1]
    assert bench.states == ["pending"] * 5


@pytest.mark.usefixtures("quick_looks")
def test_an_outage_that_another_task_found_ends_this_one_though_its_own_records_pass() -> None:
    bench = Bench(5_000)
    bench.trial_due = False

    def found(record: int) -> None:
        time.sleep(0.002)
        if record == 5:
            bench.known = Faults(outage=EVERYTHING_REFUSED)

    bench.before_answer = found
    assert bench.run().stopped == "outage"
    assert len(bench.sent) < 500


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
    bench.known = Faults(outage="overloaded_503")
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.states, bench.outages) == ([1], ["pending"] * 3, [])
    assert bench.attempts[1] == 0


@pytest.mark.parametrize("answer", [OVERLOADED, MAINTENANCE, UNKNOWN, CONFLICT])
def test_while_an_outage_lasts_records_of_three_campaigns_try_when_one_may_be_its_own_fault(answer: Answer) -> None:
    bench = Bench(8, {record: [answer] for record in range(1, 9)})
    bench.campaigns = {record: str(record // 2) for record in range(1, 9)}
    bench.known = Faults(outage="overloaded_503")
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.states, bench.outages) == ([1, 2, 4], ["pending"] * 8, [])
    assert bench.attempts[1] == 1, "a trial is a request of the record's life"


def test_one_bad_record_does_not_keep_an_outage_that_is_over() -> None:
    for answer in (OVERLOADED, UNKNOWN, CONFLICT, MAINTENANCE):
        bench = Bench(4, {1: [answer] * 9})
        bench.campaigns = {1: "17", 2: "18", 3: "18", 4: "18"}
        bench.known = Faults(outage="overloaded_503")
        assert bench.run().stopped is None
        assert bench.known == Faults()
        assert bench.states[1:] == ["coded"] * 3


def test_when_no_trial_is_due_nothing_is_sent() -> None:
    bench = Bench(3)
    bench.known, bench.trial_due = Faults(outage="overloaded_503"), False
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.requests_left) == ([], 1_000)


def test_an_allotment_of_one_record_tries_an_outage_with_one() -> None:
    bench = Bench(3, {record: [UNKNOWN] for record in (1, 2, 3)})
    bench.campaigns = {1: "17", 2: "18", 3: "19"}
    bench.known = Faults(outage="overloaded_503")
    bench.run(records=1)
    assert bench.sent == [1]


@pytest.mark.parametrize("answer", [CODED, REJECTED, NOT_FOUND])
def test_an_answer_ends_the_outage(answer: Answer) -> None:
    bench = Bench(3, {1: [answer]})
    bench.known = Faults(outage="overloaded_503")
    assert bench.run().stopped is None
    assert bench.known == Faults()
    assert bench.states[1:] == ["coded", "coded"]


def test_of_a_host_that_refuses_everything_only_a_success_ends_the_outage() -> None:
    bench = Bench(3, {1: [REJECTED]})
    bench.known = Faults(outage=EVERYTHING_REFUSED)
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


# Suspended campaigns


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
    bench.known = Faults(frozenset({("preview", "17")}))
    bench.campaign_trial_due = True
    bench.run()
    assert bench.known == Faults()
    assert bench.states == ["coded"] * 3


def test_a_trial_that_is_refused_waits_and_is_rejected_at_its_third_request() -> None:
    bench = Bench(2, {1: [NOT_FOUND], 2: [NOT_FOUND]})
    bench.known = Faults(frozenset({("preview", "17")}))
    bench.campaign_trial_due = True
    bench.attempts[2] = 2
    bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["pending", "rejected"]
    assert (bench.settled[1].pause, bench.counted) == (0.0, [])


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
        patched.setattr("wolkvox.tasks.codify.time", Clock())
        bench.run(retry_policy)
    assert [round(wait, 3) for wait in waits[:2]] == [7.0, 300.0]
    assert 2.0 <= waits[2] <= 4.0, "no hint is sooner than our own retry_policy"
    assert len(waits) == 3


def test_progress_is_reported_at_the_start_on_the_way_and_at_the_end() -> None:
    done: list[int] = []
    Bench(3).run(report=lambda progress: done.append(progress.done))
    assert done == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("tries", "least", "most"), [(1, 0.5, 1.0), (2, 1.0, 2.0), (4, 4.0, 8.0), (9, 30.0, 60.0), (9_999, 30.0, 60.0)]
)
def test_a_wait_doubles_up_to_its_cap_and_half_of_it_is_jitter(tries: int, least: float, most: float) -> None:
    waits = [backoff(1.0, 60.0, tries) for _ in range(200)]
    assert least <= min(waits) < max(waits) <= most


def test_a_record_is_not_tried_again_once_a_later_contact_of_its_customer_has_come() -> None:
    bench = Bench(3, {1: [OVERLOADED]}, requests=10)
    bench.before_answer = lambda record: bench.outdated.add(1) if record == 2 else None
    bench.run()
    assert (bench.sent, bench.states, bench.requests_left) == ([1, 2, 3], ["superseded", "coded", "coded"], 7)
