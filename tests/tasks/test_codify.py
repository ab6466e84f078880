"""The loop that codifies a chunk, on a ledger in memory, with answers read from a script."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile

import pytest

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WolkvoxError, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.patience import Patience
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record, Settled
from wolkvox.stop import Stop
from wolkvox.tasks.codify import Progress, backoff, codify

AT_ONCE = Patience(first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
CODED = Answer(Kind.CODED, None, "202", "customer_id has been coded")
REJECTED = Answer(Kind.REJECTED, "refused_422", "422", "El codAct no es valido")
NOT_FOUND = Answer(Kind.NOT_FOUND, "not_found", "404", "NO RECORDS FOUND")
OVERLOADED = Answer(Kind.OVERLOADED, "overloaded_500", "500", "oops")
BUSY = Answer(Kind.BUSY, "busy", "403")
MAINTENANCE = Answer(Kind.MAINTENANCE, "maintenance", "403")
UNREACHABLE = Answer(Kind.UNREACHABLE, "unreachable_refused")
UNKNOWN = Answer(Kind.UNKNOWN, "unknown_timeout")
QUOTA = Answer(Kind.QUOTA, "quota", "403", "TOKEN LIMIT EXCEEDED")
BAD_TOKEN = Answer(Kind.BAD_TOKEN, "bad_token", "403")
WRONG_ENDPOINT = Answer(Kind.WRONG_ENDPOINT, "wrong_endpoint", "400")


class Bench:
    """A ledger, a quota and a vendor, all in memory, that write down what they are asked to do."""

    def __init__(self, records: int, answers: dict[int, Sequence[Answer]] | None = None, calls: int = 1_000) -> None:
        self.state = dict.fromkeys(range(1, records + 1), "pending")
        self.settled: dict[int, Settled] = {}
        self.attempts: Counter[int] = Counter()
        self.taken_by_others: set[int] = set()
        self.sent: list[int] = []
        self.round_trips = 0
        self.calls_left = calls
        self.exhausted_said = False
        self.known = Faults()
        self.park_after = 1_000
        self.refuse_after = 1_000
        self.refusals: list[tuple[int, str, bool, bool]] = []
        self.outages: list[tuple[str, dict[int, int]]] = []
        self.outage_known_to_others = False
        self.unanswered_elsewhere = 0
        self.put_off: set[int] = set()
        self.campaigns: dict[int, str] = {}
        self.goes_on_for = 0.0
        self.stop = Stop()
        self.before_answer: Callable[[int], None] = lambda _: None
        self._answers = defaultdict(list, {record: list(script) for record, script in (answers or {}).items()})

    def waiting(self) -> list[Record]:
        return [
            Record(
                record,
                "preview",
                self.campaigns.get(record, "17"),
                f"c{record}",
                "5",
                None,
                None,
                self.attempts[record],
                record in self.put_off,
            )
            for record, state in self.state.items()
            if state == "pending" and record not in self.taken_by_others and not self._put_off_now(record)
        ]

    def _put_off_now(self, record: int) -> bool:
        return record in self.settled and self.settled[record].pause is not None

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        self.round_trips += 1
        if settled is not None:
            assert self.state[settled.id] == "sending"
            self.state[settled.id] = settled.state
            self.settled[settled.id] = settled
            self.attempts[settled.id] += settled.counts
        if following is None or following in self.taken_by_others:
            return False
        assert self.state[following] == "pending"
        self.state[following] = "sending"
        return True

    def goes_on(self, record: int) -> float:
        assert self.state[record] == "sending", "until this is noted, the record guards its slot"
        return self.goes_on_for

    def faults(self) -> Faults:
        return self.known

    def refused(self, record: Record, answer: Answer, refusal: str, coded: bool, anything_coded: bool) -> Faults:
        assert self.state[record.id] == "rejected", "it is settled before it is counted"
        self.refusals.append((record.id, refusal, coded, anything_coded))
        if len(self.refusals) >= self.refuse_after:
            return Faults(outage=EVERYTHING_REFUSED)
        if len(self.refusals) >= self.park_after:
            self.known = Faults({record.campaign: False})
        return self.known

    def unanswered(self) -> int:
        answered = takewhile(lambda record: self.state[record] != "coded", reversed(self.sent))
        return self.unanswered_elsewhere + sum(self._put_off_now(record) for record in answered)

    def unpark(self, campaign: Campaign) -> None:
        self.known = Faults({parked: probing for parked, probing in self.known.parked.items() if parked != campaign})

    def begin_outage(self, reason: str, words: str, calls: Mapping[int, int]) -> bool:
        self.outages.append((reason, dict(calls)))
        self.state.update(dict.fromkeys(calls, "pending"))
        return not self.outage_known_to_others

    def end_outage(self) -> None:
        self.known = Faults(self.known.parked)

    def take(self) -> bool:
        self.calls_left -= 1
        if self.calls_left >= 0 and not self.exhausted_said:
            return True
        self.calls_left += 1
        return False

    def untake(self) -> None:
        self.calls_left += 1

    def exhausted(self) -> None:
        self.exhausted_said = True

    def send(self, record: Record) -> Answer:
        assert self.state[record.id] == "sending", "a record is marked before it is sent"
        assert list(self.state.values()).count("sending") == 1
        self.sent.append(record.id)
        self.before_answer(record.id)
        script = self._answers[record.id]
        return script.pop(0) if script else CODED

    def run(
        self,
        patience: Patience = AT_ONCE,
        report: Callable[[Progress], None] = lambda _: None,
        seconds: float = 3_600.0,
    ) -> Progress:
        return codify(
            ledger=self,
            send=self.send,
            quota=self,
            stop=self.stop,
            patience=patience,
            seconds=seconds,
            report=report,
            report_every=0.0,
        )

    def fails(self, error: type[WolkvoxError], patience: Patience = AT_ONCE) -> str:
        """What the error says that ends the run."""
        with pytest.raises(error) as raised:
            self.run(patience)
        return str(raised.value)

    @property
    def states(self) -> list[str]:
        return list(self.state.values())


def test_every_record_is_sent_once_in_the_ledgers_order() -> None:
    bench = Bench(4)
    progress = bench.run()
    assert bench.sent == [1, 2, 3, 4]
    assert bench.states == ["coded"] * 4
    assert bench.settled[4] == Settled(4, "coded", None, "202", "customer_id has been coded", True, None)
    assert (progress.total, progress.done, progress.calls, progress.stopped) == (4, 4, 4, None)
    assert bench.calls_left == 996


def test_a_record_costs_one_round_trip_and_the_last_one_two() -> None:
    bench = Bench(100)
    bench.run()
    assert bench.round_trips == 101


def test_an_empty_chunk_makes_no_call() -> None:
    bench = Bench(0)
    assert bench.run().calls == 0
    assert bench.calls_left == 1_000


def test_a_refused_record_does_not_stop_the_others() -> None:
    bench = Bench(3, {1: [REJECTED], 2: [NOT_FOUND]})
    progress = bench.run()
    assert bench.states == ["rejected", "rejected", "coded"]
    assert bench.settled[1] == Settled(1, "rejected", "refused_422", "422", "El codAct no es valido", True)
    assert progress.states == {"rejected": 2, "coded": 1}


def test_an_overload_is_tried_again_before_the_next_record() -> None:
    bench = Bench(2, {1: [OVERLOADED, OVERLOADED]})
    progress = bench.run()
    assert bench.sent == [1, 1, 1, 2]
    assert bench.attempts == {1: 3, 2: 1}
    assert (progress.calls, progress.done) == (4, 2)


def test_a_record_whose_tries_are_used_up_is_the_next_runs_and_the_others_go_on() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    progress = bench.run(Patience(tries=5, first_wait=0.0, longest_wait=0.0))
    assert bench.sent == [1] * 5 + [2]
    assert bench.states == ["pending", "coded"]
    assert (bench.settled[1].reason, bench.settled[1].pause, bench.attempts[1]) == ("overloaded_500", 0.0, 5)
    assert (progress.put_off, progress.done) == (1, 2)


def test_a_record_that_was_put_off_has_one_try_in_each_run() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    bench.attempts[1] = 6
    bench.put_off.add(1)
    bench.run(Patience(tries=5, first_wait=0.0, longest_wait=0.0))
    assert (bench.sent, bench.states) == ([1, 2], ["pending", "coded"])
    assert bench.settled[1].pause == 1_800.0


def test_a_record_is_given_up_at_the_eighth_call_of_its_life() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    bench.attempts[1] = 7
    bench.put_off.add(1)
    progress = bench.run(Patience(tries=5, first_wait=0.0, longest_wait=0.0))
    assert bench.sent == [1, 2]
    assert bench.states == ["failed", "coded"]
    assert (bench.settled[1].reason, progress.states["failed"]) == ("overloaded_500", 1)


def test_every_record_has_all_its_tries() -> None:
    bench = Bench(3, {record: [OVERLOADED] * 4 for record in (1, 2, 3)})
    bench.run(Patience(tries=5, first_wait=0.0, longest_wait=0.0))
    assert bench.states == ["coded"] * 3


@pytest.mark.parametrize("answer", [BUSY, UNREACHABLE])
def test_what_is_not_the_records_fault_is_no_attempt_of_it(answer: Answer) -> None:
    bench = Bench(2, {1: [answer] * 8})
    bench.run(Patience(tries=2, first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0))
    assert bench.sent == [1] * 9 + [2]
    assert bench.states == ["coded", "coded"]
    assert bench.attempts == {1: 1, 2: 1}


# What is blocked on its way


def test_a_record_that_is_blocked_while_others_pass_is_set_aside_after_three_calls() -> None:
    bench = Bench(6, {2: [MAINTENANCE] * 9})
    progress = bench.run()
    assert bench.sent == [1, 2, 3, 2, 4, 2, 5, 6], "another record is sent before it is tried again"
    assert bench.states == ["coded", "rejected", *["coded"] * 4]
    assert (bench.settled[2].reason, progress.stopped) == ("refused_403", None)
    assert [record for record, *_ in bench.refusals] == [2], "a campaign of which all are blocked is parked in the end"


def test_a_record_that_passes_at_last_was_not_blocked() -> None:
    bench = Bench(4, {1: [MAINTENANCE] * 2})
    bench.run()
    assert (bench.sent, bench.states) == ([1, 2, 1, 3, 1, 4], ["coded"] * 4)


def test_when_all_are_blocked_nobody_is_set_aside() -> None:
    bench = Bench(30, {record: [MAINTENANCE] * 99 for record in range(1, 31)})
    bench.fails(BreakerOpen)
    assert (len(bench.sent), set(bench.states)) == (10, {"pending"})
    assert bench.attempts.total() == 0


def test_a_record_that_is_blocked_with_no_other_to_compare_costs_one_call_a_run() -> None:
    bench = Bench(1, {1: [MAINTENANCE] * 99})
    began = time.monotonic()
    progress = bench.run(Patience(maintenance_wait=60.0))
    assert (bench.sent, bench.states, progress.put_off, bench.attempts[1]) == ([1], ["pending"], 1, 1)
    assert time.monotonic() - began < 30.0, "nothing is left to wait for"


def test_the_last_record_that_is_blocked_in_three_runs_in_which_others_pass_is_set_aside() -> None:
    bench = Bench(3, {3: [MAINTENANCE] * 9})
    for calls, state in ((1, "pending"), (2, "pending"), (3, "rejected")):
        bench.run()
        assert (bench.state[3], bench.sent.count(3)) == (state, calls)
        bench.state.update({1: "pending", 2: "pending"})  # the next run has others again
        if state == "pending":
            bench.settled.pop(3)
            bench.put_off.add(3)
    assert bench.settled[3].reason == "refused_403"


# Gateways that gave up


def test_after_a_gateways_time_out_the_slot_is_silent_until_that_call_can_not_be_in_flight() -> None:
    bench = Bench(2, {1: [Answer(Kind.UNKNOWN, "unknown_504", "504", goes_on=True)]})
    bench.goes_on_for = 0.3
    sent: list[float] = []
    bench.before_answer = lambda _: sent.append(time.monotonic())
    bench.run()
    assert bench.sent == [1, 2]
    assert sent[1] - sent[0] >= 0.3


def test_a_record_that_comes_back_waits_for_the_silence_of_the_slot_too() -> None:
    bench = Bench(1, {1: [Answer(Kind.UNKNOWN, "unknown_504", "504", goes_on=True)]})
    bench.goes_on_for = 0.3
    sent: list[float] = []

    def note(record: int) -> None:
        sent.append(time.monotonic())
        if record == 1:
            bench.state[2] = "pending"  # while the only one of the chunk was under way

    bench.before_answer = note
    bench.run()
    assert bench.sent == [1, 2]
    assert sent[1] - sent[0] >= 0.3


# A run's time that ends in a fault


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, MAINTENANCE, UNREACHABLE])
def test_an_outage_that_outlasts_the_run_is_known_to_the_next_one(answer: Answer) -> None:
    """The next run would spend its whole time on it again, and so on for as long as it lasts."""
    bench = Bench(9, {record: [answer] * 99 for record in range(1, 10)})
    patience = Patience(first_wait=0.01, longest_wait=60.0, maintenance_wait=0.01, outages=50)
    began = time.monotonic()
    with pytest.raises(BreakerOpen):
        bench.run(patience, seconds=0.5)
    assert time.monotonic() - began < 5.0
    assert len(bench.outages) == 1


def test_an_outage_in_which_the_time_ends_between_two_calls_is_known_to_the_next_one() -> None:
    """The machine was busy: the wait was to end in time, and did not."""
    bench = Bench(9, {record: [OVERLOADED] * 99 for record in range(1, 10)})

    class Sleepy(Stop):
        def wait(self, seconds: float) -> bool:
            assert seconds < 1.0, "the wait would have ended in time"
            return super().wait(2.0 if len(bench.sent) == 3 else 0.0)

    bench.stop = Sleepy()
    with pytest.raises(BreakerOpen):
        bench.run(Patience(first_wait=0.01, longest_wait=0.01, outages=50), seconds=2.0)
    assert (len(bench.sent), len(bench.outages)) == (3, 1)


def test_a_host_that_asks_for_more_time_than_the_run_has_is_left_alone() -> None:
    bench = Bench(2, {1: [Answer(Kind.OVERLOADED, "overloaded_429", "429", retry_after=120.0)]})
    with pytest.raises(BreakerOpen):
        bench.run(Patience(), seconds=60.0)
    assert bench.sent == [1]


def test_one_bad_answer_at_the_end_of_a_run_is_no_outage() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    assert bench.run(Patience(first_wait=5.0), seconds=0.05).stopped == "time"
    assert bench.outages == []


def test_a_call_that_never_left_is_given_back_to_the_day() -> None:
    bench = Bench(1, {1: [UNREACHABLE, UNREACHABLE]}, calls=1)
    assert bench.run().stopped is None
    assert bench.calls_left == 0


@pytest.mark.parametrize(("calls_before", "pause"), [(0, 0.0), (1, 900.0), (2, 1_800.0), (6, 28_800.0), (7, None)])
def test_an_answer_nobody_saw_puts_the_record_off_for_longer_each_time(calls_before: int, pause: float | None) -> None:
    bench = Bench(2, {1: [UNKNOWN]})
    bench.attempts[1] = calls_before
    bench.put_off.update({1} if calls_before else ())
    progress = bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["pending" if pause is not None else "failed", "coded"]
    assert (bench.settled[1].reason, bench.settled[1].pause) == ("unknown_timeout", pause)
    assert progress.unknown == 1


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, MAINTENANCE, UNREACHABLE, UNKNOWN])
def test_an_outage_ends_the_first_task_and_leaves_every_record_pending(answer: Answer) -> None:
    bench = Bench(20, {record: [answer] * 20 for record in range(1, 21)})
    message = bench.fails(BreakerOpen)
    assert len(bench.sent) == 10
    assert bench.states == ["pending"] * 20
    assert message.startswith(f"10 calls in a row met an outage, the last one {answer.reason} (code {answer.code}).")
    ((reason, taken_back),) = bench.outages
    assert reason == answer.reason
    assert sum(taken_back.values()) == (10 if answer is OVERLOADED else 0)


def test_an_outage_that_another_task_found_ends_this_one_at_its_first_call() -> None:
    bench = Bench(5, {1: [OVERLOADED]})
    bench.before_answer = lambda _: setattr(bench, "known", Faults(outage="overloaded_503"))
    assert bench.run().stopped == "outage"
    assert bench.sent == [1]
    assert bench.states == ["pending"] * 5


def test_calls_of_other_tasks_that_nobody_answered_count_too() -> None:
    bench = Bench(5, {1: [UNKNOWN], 2: [UNKNOWN]})
    bench.unanswered_elsewhere = 7
    assert bench.run().unknown == 2
    bench = Bench(5, {1: [UNKNOWN], 2: [UNKNOWN]})
    bench.unanswered_elsewhere = 8
    assert bench.fails(BreakerOpen).startswith("10 calls in a row met an outage")


def test_two_tasks_that_find_an_outage_at_once_are_one_red_one() -> None:
    bench = Bench(20, {record: [UNREACHABLE] * 20 for record in range(1, 21)})
    bench.outage_known_to_others = True
    assert bench.run().stopped == "outage"


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, MAINTENANCE, UNREACHABLE, UNKNOWN, BAD_TOKEN, WRONG_ENDPOINT])
def test_while_an_outage_lasts_one_call_tries(answer: Answer) -> None:
    bench = Bench(3, {1: [answer]})
    bench.known = Faults(outage="overloaded_503")
    assert bench.run().stopped == "outage"
    assert (bench.sent, bench.states, bench.outages) == ([1], ["pending"] * 3, [])
    assert bench.attempts[1] == (answer is UNKNOWN)


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
    assert bench.run().stopped is None
    assert bench.states == ["coded"] * 3


def test_when_everything_is_refused_the_first_task_says_so() -> None:
    bench = Bench(9, {record: [REJECTED] for record in range(1, 10)})
    bench.refuse_after = 4
    assert bench.fails(BreakerOpen).startswith("Everything is refused, over several campaigns, lastly with refused_422")
    assert (len(bench.sent), bench.outages) == (4, [(EVERYTHING_REFUSED, {})])


def test_one_answer_in_between_closes_the_breaker_again() -> None:
    bench = Bench(20, {record: [UNKNOWN] for record in range(1, 21) if record not in (9, 18)})
    assert bench.run().unknown == 18


def test_refusals_are_counted_with_what_was_coded_in_between_and_without_ids() -> None:
    said = Answer(Kind.NOT_FOUND, "not_found", "404", "c2 and 1020304050 not found")
    bench = Bench(5, {1: [NOT_FOUND], 2: [said], 4: [NOT_FOUND], 5: [NOT_FOUND]})
    bench.campaigns[5] = "18"
    bench.run()
    assert bench.refusals == [
        (1, "404 NO RECORDS FOUND", False, False),
        (2, "404 … AND … NOT FOUND", False, False),
        (4, "404 NO RECORDS FOUND", True, True),
        (5, "404 NO RECORDS FOUND", False, False),
    ]
    assert bench.states == ["rejected", "rejected", "coded", "rejected", "rejected"]


def test_a_campaign_that_is_parked_in_mid_chunk_is_left_and_the_others_go_on() -> None:
    bench = Bench(10, {record: [NOT_FOUND] for record in range(1, 10, 2)})
    bench.campaigns = dict.fromkeys(range(1, 10, 2), "666")
    bench.park_after = 2
    assert bench.run().stopped is None
    assert bench.sent == [1, 2, 3, 4, 6, 8, 10]
    assert bench.states[4::2] == ["pending"] * 3
    assert bench.calls_left == 993


def test_a_probe_of_a_parked_campaign_that_is_coded_frees_it() -> None:
    bench = Bench(3)
    bench.known = Faults({("preview", "17"): True})
    bench.run()
    assert bench.known == Faults()
    assert bench.states == ["coded"] * 3


def test_a_probe_that_is_refused_waits_and_is_rejected_at_its_third_call() -> None:
    bench = Bench(2, {1: [NOT_FOUND], 2: [NOT_FOUND]})
    bench.known = Faults({("preview", "17"): True})
    bench.attempts[2] = 2
    bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["pending", "rejected"]
    assert (bench.settled[1].pause, bench.refusals) == (0.0, [])


def test_when_its_time_is_over_the_chunk_ends_cleanly() -> None:
    bench = Bench(3)
    bench.before_answer = lambda _: time.sleep(2.0)
    progress = bench.run(seconds=3.0)
    assert progress.stopped == "time"
    assert bench.states == ["coded", "coded", "pending"]
    assert bench.calls_left == 998


def test_no_pause_outlasts_the_chunks_time() -> None:
    bench = Bench(2, {1: [MAINTENANCE]})
    began = time.monotonic()
    assert bench.run(Patience(maintenance_wait=3_600.0, longest_wait=3_600.0), seconds=0.05).stopped == "time"
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(("answer", "error"), [(BAD_TOKEN, BadToken), (WRONG_ENDPOINT, WrongEndpoint)])
def test_a_refusal_of_everybody_ends_the_run_at_once(answer: Answer, error: type[WolkvoxError]) -> None:
    bench = Bench(3, {2: [answer]})
    message = bench.fails(error)
    assert bench.sent == [1, 2]
    assert bench.states == ["coded", "pending", "pending"]
    assert f"(code {answer.code})" in message


def test_the_ledgers_last_call_of_the_day_ends_the_chunk_cleanly() -> None:
    bench = Bench(5, calls=3)
    assert bench.run().stopped == "quota"
    assert bench.states == ["coded", "coded", "coded", "pending", "pending"]


def test_the_vendors_limit_ends_the_chunk_cleanly() -> None:
    bench = Bench(5, {3: [QUOTA]})
    progress = bench.run()
    assert (progress.stopped, progress.done, progress.calls) == ("quota", 2, 3)
    assert bench.exhausted_said
    assert bench.states == ["coded", "coded", "pending", "pending", "pending"]
    assert bench.attempts[3] == 0


def test_told_to_stop_it_ends_after_the_call_in_flight() -> None:
    bench = Bench(5)
    bench.before_answer = lambda record: bench.stop.set() if record == 2 else None
    assert bench.fails(Stopped) == (
        "Told to stop: 2 records sent (0 of them with an unknown outcome), 3 unsent and still pending."
    )
    assert bench.states == ["coded", "coded", "pending", "pending", "pending"]


def test_told_to_stop_it_does_not_wait_for_a_retry() -> None:
    bench = Bench(2, {1: [MAINTENANCE]})
    bench.before_answer = lambda _: bench.stop.set()
    bench.fails(Stopped, Patience(maintenance_wait=3_600.0))
    assert bench.states == ["pending", "pending"]


def test_told_to_stop_at_its_last_call_it_is_done() -> None:
    bench = Bench(2)
    bench.before_answer = lambda record: bench.stop.set() if record == 2 else None
    assert bench.run().done == 2
    assert bench.states == ["coded", "coded"]


def test_a_record_that_another_run_took_is_not_sent_and_costs_nothing() -> None:
    bench = Bench(4)
    bench.before_answer = lambda record: bench.taken_by_others.update({2, 3}) if record == 1 else None
    progress = bench.run()
    assert bench.sent == [1, 4]
    assert bench.settled.keys() == {1, 4}
    assert (progress.total, bench.calls_left) == (2, 998)


def test_records_that_come_back_while_it_runs_are_sent_too() -> None:
    bench = Bench(2)
    bench.before_answer = lambda record: bench.state.update({3: "pending"}) if record == 2 else None
    assert bench.run().done == 3
    assert bench.sent == [1, 2, 3]


def test_the_vendors_wait_is_kept_to_and_bounded() -> None:
    waits: list[float | None] = []

    class Watch(Stop):
        def wait(self, timeout: float) -> bool:
            waits.append(timeout)
            return False

    hints = (7.0, 9_000.0, 0.0)
    bench = Bench(2, {1: [Answer(Kind.OVERLOADED, retry_after=seconds) for seconds in hints] + [MAINTENANCE]})
    bench.stop = Watch()
    bench.run(Patience(longest_retry_after=300.0, maintenance_wait=15.0, longest_wait=20.0))
    assert waits[:2] == [7.0, 300.0]
    assert waits[2] is not None
    assert 2.0 <= waits[2] <= 4.0, "no hint is sooner than our own patience"
    assert waits[3] is not None
    assert 10.0 <= waits[3] <= 20.0
    assert len(waits) == 4


def test_progress_is_reported_at_the_start_on_the_way_and_at_the_end() -> None:
    done: list[tuple[int, int]] = []
    Bench(3).run(report=lambda progress: done.append((progress.done, progress.total)))
    assert done == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 3)]


@pytest.mark.parametrize(
    ("tries", "least", "most"), [(1, 0.5, 1.0), (2, 1.0, 2.0), (4, 4.0, 8.0), (9, 30.0, 60.0), (9_999, 30.0, 60.0)]
)
def test_a_wait_doubles_up_to_its_cap_and_half_of_it_is_jitter(tries: int, least: float, most: float) -> None:
    waits = [backoff(1.0, 60.0, tries) for _ in range(200)]
    assert least <= min(waits) < max(waits) <= most
