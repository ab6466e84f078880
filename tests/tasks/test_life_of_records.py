"""Whatever wolkvox answers, and whenever a worker ends: each record ends in one known state, and none is lost."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tasks.fakes import AT_ONCE, Bench

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import REFUSALS, UNCOUNTED
from wolkvox.rules.records import Faults, Record
from wolkvox.stop import Stop

FINAL = {"coded", "rejected", "failed"}
SCRIPTS = st.lists(st.sampled_from(Kind), max_size=6) | st.sampled_from(Kind).map(lambda kind: [kind] * 20)
CONTACTS = st.lists(st.tuples(st.sampled_from(["17", "18", "19"]), SCRIPTS), min_size=1, max_size=8)


class Life(RuleBasedStateMachine):
    """Contacts come in, workers come and go, and outages with them."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(0)
        self.bench.suspend_after, self.bench.refuse_after, self.bench.in_doubt_after = 4, 7, 3
        self.bench.campaigns = {}
        self.kinds: list[Kind] = []  # of all answers, in their order
        self.last: dict[int, Kind] = {}  # of each record
        self.coded: set[int] = set()
        send = self.bench.send

        def note(record: Record) -> Answer:
            answer = send(record)
            self.kinds.append(answer.kind)
            self.last[record.id] = answer.kind
            return answer

        self.bench.send = note  # type: ignore[method-assign]

    @initialize(contacts=CONTACTS)
    def some_contacts_wait(self, contacts: list[tuple[str, list[Kind]]]) -> None:
        self.contacts_come_in(contacts)

    @rule(contacts=CONTACTS)
    def contacts_come_in(self, contacts: list[tuple[str, list[Kind]]]) -> None:
        """Each of a campaign, with the answers to its first requests; after those it is coded."""
        for campaign, kinds in contacts:
            record = len(self.bench.state) + 1
            self.bench.state = {record: "pending", **self.bench.state}
            self.bench.campaigns[record] = campaign
            self.bench.script(record, [Answer(kind, kind.name.lower(), "499") for kind in kinds])

    @rule(requests=st.integers(1, 30))
    def a_day_begins(self, requests: int) -> None:
        self.bench.requests_left, self.bench.exhausted_said = requests, False

    @rule()
    def a_trial_is_due(self) -> None:
        self.bench.trial_due = True

    @precondition(lambda self: self.bench.known_faults.suspended)
    @rule()
    def suspended_campaigns_are_tried(self) -> None:
        self.bench.campaign_trial_due = True
        self._work()
        self.bench.campaign_trial_due = False

    @rule()
    def a_worker_does_all_it_can(self) -> None:
        self._work()

    @rule(records=st.integers(1, 8))
    def a_worker_has_a_small_allotment(self, records: int) -> None:
        self._work(records)

    @rule(requests=st.integers(1, 9))
    def a_worker_is_told_to_stop(self, requests: int) -> None:
        self._work(stop_after=requests)

    def _work(self, records: int = 1_000, stop_after: int = 0) -> None:
        """Have a worker take so many records, and tell it to stop after so many requests; 0: don't."""
        bench, before = self.bench, (len(self.bench.sent), self.bench.requests_left)
        bench.failed.clear()
        bench.stop = Stop()
        bench.before_answer = lambda _: (
            bench.stop.set() if stop_after and len(bench.sent) >= before[0] + stop_after else None
        )
        with suppress(BadToken, WrongEndpoint, BreakerOpen, Stopped):
            bench.run(AT_ONCE, records=records)
        sent = bench.sent[before[0] :]
        kinds = self.kinds[before[0] :]
        assert len(set(sent)) <= records, "no more than its allotment"
        assert before[1] - bench.requests_left == len(sent) - kinds.count(Kind.UNREACHABLE), "what wolkvox got, counts"
        assert Kind.QUOTA not in kinds[:-1], "once the day is used up, nothing more is sent"
        assert set(kinds) != {Kind.CODED} or not bench.known_faults.outage, "a success ends an outage"

    @invariant()
    def no_record_is_lost_or_half_sent(self) -> None:
        assert set(self.bench.state.values()) <= {"pending"} | FINAL

    @invariant()
    def what_is_coded_stays_so(self) -> None:
        """A refusal or a failure may turn out to be its campaign's or everybody's."""
        coded = {record for record, state in self.bench.state.items() if state == "coded"}
        assert self.coded <= coded
        self.coded = coded

    @invariant()
    def a_state_follows_from_the_last_answer(self) -> None:
        for record, kind in self.last.items():
            state = self.bench.state[record]
            assert (state == "coded") == (kind is Kind.CODED), "and none is sent again once it is coded"
            assert state != "rejected" or kind in REFUSALS | {Kind.MAINTENANCE}
            assert state != "failed" or kind not in REFUSALS | UNCOUNTED

    @invariant()
    def no_record_has_more_requests_than_its_life(self) -> None:
        for record, attempts in self.bench.attempts.items():
            assert 0 <= attempts <= AT_ONCE.requests, record

    def teardown(self) -> None:
        """Once wolkvox is well, whatever waits is coded."""
        self.bench.no_more_faults()
        self.a_day_begins(1_000)
        for self.bench.campaign_trial_due in (True,) * 8 + (False,):  # at most three records of suspended ones each
            self.bench.trial_due = True
            self._work()
        assert set(self.bench.state.values()) <= FINAL
        assert self.bench.known_faults == Faults()


TestLife = Life.TestCase
# Without shrinking, which takes minutes: take `phases` away to have the shortest way to a failure.
TestLife.settings = settings(max_examples=100, stateful_step_count=30, phases=[Phase.generate], deadline=None)


def test_the_machine_sends_something() -> None:
    machine = Life()
    machine.contacts_come_in([("17", [Kind.CODED])])
    machine.a_worker_does_all_it_can()
    assert machine.bench.states == ["coded"]
