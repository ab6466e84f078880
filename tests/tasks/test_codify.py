"""The loop that codifies a chunk, on a ledger in memory, with answers read from a script."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import pytest

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WolkvoxError, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.patience import Patience
from wolkvox.rules.records import Record, Settled
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
        self.stop = Stop()
        self.before_answer: Callable[[int], None] = lambda _: None
        self._answers = defaultdict(list, {record: list(script) for record, script in (answers or {}).items()})

    def waiting(self) -> list[Record]:
        return [
            Record(record, "preview", "17", f"c{record}", "5", None, None)
            for record, state in self.state.items()
            if state == "pending" and record not in self.taken_by_others
        ]

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

    def reopen(self, ids: Sequence[int]) -> None:
        self.state.update(dict.fromkeys(ids, "pending"))

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

    def run(self, patience: Patience = AT_ONCE, report: Callable[[Progress], None] = lambda _: None) -> Progress:
        return codify(
            ledger=self,
            send=self.send,
            quota=self,
            stop=self.stop,
            patience=patience,
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
    assert bench.settled[4] == Settled(4, "coded", None, "202", "customer_id has been coded", True)
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


def test_a_record_whose_tries_are_used_up_is_failed_and_the_others_go_on() -> None:
    bench = Bench(2, {1: [OVERLOADED] * 9})
    bench.run(Patience(tries=5, first_wait=0.0, longest_wait=0.0))
    assert bench.sent == [1] * 5 + [2]
    assert bench.states == ["failed", "coded"]
    assert bench.settled[1].reason == "overloaded_500"
    assert bench.attempts[1] == 5


def test_every_record_has_all_its_tries() -> None:
    bench = Bench(3, {record: [OVERLOADED] * 4 for record in (1, 2, 3)})
    bench.run(Patience(tries=5, first_wait=0.0, longest_wait=0.0))
    assert bench.states == ["coded"] * 3


@pytest.mark.parametrize("answer", [BUSY, MAINTENANCE, UNREACHABLE])
def test_what_is_not_the_records_fault_is_no_attempt_of_it(answer: Answer) -> None:
    bench = Bench(2, {1: [answer] * 8})
    bench.run(Patience(tries=2, first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0))
    assert bench.sent == [1] * 9 + [2]
    assert bench.states == ["coded", "coded"]
    assert bench.attempts == {1: 1, 2: 1}


def test_a_call_that_never_left_is_given_back_to_the_day() -> None:
    bench = Bench(1, {1: [UNREACHABLE, UNREACHABLE]}, calls=1)
    assert bench.run().stopped is None
    assert bench.calls_left == 0


def test_an_answer_nobody_saw_fails_the_record_once_and_is_counted() -> None:
    bench = Bench(2, {1: [UNKNOWN]})
    progress = bench.run()
    assert bench.sent == [1, 2]
    assert bench.states == ["failed", "coded"]
    assert bench.settled[1].reason == "unknown_timeout"
    assert progress.unknown == 1


@pytest.mark.parametrize("answer", [OVERLOADED, BUSY, MAINTENANCE, UNREACHABLE, UNKNOWN])
def test_an_outage_opens_the_breaker_and_leaves_every_record_pending(answer: Answer) -> None:
    bench = Bench(20, {record: [answer] * 20 for record in range(1, 21)})
    message = bench.fails(BreakerOpen)
    assert len(bench.sent) == 10
    assert bench.states == ["pending"] * 20
    assert message.startswith(f"10 calls in a row met an outage, the last one {answer.reason} (code {answer.code}).")


def test_one_answer_in_between_closes_the_breaker_again() -> None:
    bench = Bench(20, {record: [UNKNOWN] for record in range(1, 21) if record not in (9, 18)})
    assert bench.run().unknown == 18


def test_many_404s_in_a_row_open_the_breaker_and_are_taken_back() -> None:
    bench = Bench(60, {record: [NOT_FOUND] for record in range(2, 61)})
    message = bench.fails(BreakerOpen)
    assert bench.sent == list(range(1, 52))
    assert bench.states == ["coded"] + ["pending"] * 59
    assert message.startswith("50 calls in a row were answered 404.")


def test_404s_between_other_answers_are_refusals() -> None:
    bench = Bench(99, {record: [NOT_FOUND] for record in range(1, 99) if record % 50})
    bench.run()
    assert bench.states.count("rejected") == 97


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
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return False

    bench = Bench(1, {1: [Answer(Kind.OVERLOADED, retry_after=seconds) for seconds in (7.0, 9_000.0)] + [MAINTENANCE]})
    bench.stop = Watch()
    bench.run(Patience(longest_retry_after=300.0, maintenance_wait=15.0, longest_wait=20.0))
    assert waits[:2] == [7.0, 300.0]
    assert waits[2] is not None
    assert 10.0 <= waits[2] <= 20.0
    assert len(waits) == 3


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
