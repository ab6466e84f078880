"""What the loop of a worker relies on: the ledger in PostgreSQL and the one in memory keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

import pytest
from conftest import Database
from contact_rows import NOON, read
from staged import coded, stage_in, worker
from tasks.fakes import Bench

from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.staging import load
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Run
from wolkvox.rules.states import State
from wolkvox.tasks.worker import WorkerLedger

POLICY = RetryPolicy(refusals=4, outages=2, enough=2)
OURS, OTHER = ("preview", "17"), ("preview", "18")


class Kept(Protocol):
    """A ledger with records in it."""

    def open(self, *campaigns: str) -> WorkerLedger:
        """The ledger of a run's worker, after a record of each campaign came in, the first one being the newest."""

    def next_run(self) -> WorkerLedger:
        """The ledger of the next run's worker."""

    def state(self, record: Record) -> tuple[str, int]:
        """The state of a record, and its attempts."""

    def has_newer_contact(self, record: Record) -> None:
        """A later contact of the record's customer is coded."""

    def trial_is_due(self) -> None:
        """The next trial of the circuit breaker may begin."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.bench = Bench(0)

    def open(self, *campaigns: str) -> WorkerLedger:
        self.bench = Bench(len(campaigns))
        self.bench.campaigns = dict(enumerate(campaigns, start=1))
        self.bench.retry_policy, self.bench.suspend_after = POLICY, POLICY.refusals
        self.bench.trial_due = False
        return self.bench

    def next_run(self) -> WorkerLedger:
        self.bench.begin_run()
        return self.bench

    def state(self, record: Record) -> tuple[str, int]:
        return self.bench.state[record.id], self.bench.attempts[record.id]

    def has_newer_contact(self, record: Record) -> None:
        self.bench.outdated.add(record.id)

    def trial_is_due(self) -> None:
        self.bench.trial_due = True


class InPostgres:
    """The real one."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger
        self.session: ChunkSession | None = None

    def open(self, *campaigns: str) -> WorkerLedger:
        contacts = [
            read(customer_id=1_000 + n, campaign_id=campaign, contacted_at=NOON - n * timedelta(minutes=1))
            for n, campaign in enumerate(campaigns)
        ]
        chunk = stage_in(self.ledger.connection, contacts).chunks[0]
        return self._enter(worker(self.ledger, chunk, retry_policy=POLICY))

    def next_run(self) -> WorkerLedger:
        self.close()
        return self._enter(
            worker(self.ledger, stage_in(self.ledger.connection, [], "next").chunks[0], retry_policy=POLICY)
        )

    def state(self, record: Record) -> tuple[str, int]:
        (row,) = self.ledger.rows("SELECT state, attempts FROM wolkvox.codification WHERE id = %s", record.id)
        return row[0], row[1]

    def has_newer_contact(self, record: Record) -> None:
        newer = read(customer_id=record.customer_id, campaign_id=record.campaign_id, contacted_at=NOON + timedelta(1))
        load(self.ledger.connection, [newer], Run("0041", "wolkvox_codify", "newer"))
        self.ledger.execute(
            "UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE contacted_at > %s", NOON
        )

    def trial_is_due(self) -> None:
        self.ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")

    def close(self) -> None:
        if self.session is not None:
            self.session.__exit__(None, None, None)

    def _enter(self, session: ChunkSession) -> WorkerLedger:
        self.session = session.__enter__()
        return self.session


@contextmanager
def kept_in(place: str, request: pytest.FixtureRequest) -> Iterator[Kept]:
    if place == "memory":
        yield InMemory()
        return
    real = InPostgres(request.getfixturevalue("ledger"))
    try:
        yield real
    finally:
        real.close()


@pytest.fixture(params=["memory", "PostgreSQL"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    with kept_in(request.param, request) as made:
        yield made


def fault(record: Record, *, refused: bool = False, conflict: bool = False) -> Fault:
    reason = "refused_422" if refused else "overloaded_500"
    return Fault(record.id, record.campaign, reason, "NO", "Look.", refused=refused, conflict=conflict)


def settle(
    ledger: WorkerLedger, record: Record, state: State, delay: float | None = None, *, counts: bool = True
) -> None:
    """Send a record and write its answer."""
    assert ledger.advance(None, record.id)
    ledger.advance(Settled(record.id, state, "overloaded_500", "500", "oops", counts, delay), None)


# What is taken


def test_the_newest_records_are_taken_first_and_no_more_than_asked_for(kept: Kept) -> None:
    ledger = kept.open(*["17"] * 50)
    taken = ledger.take(3, [])
    everything = ledger.take(50, [])
    assert [record.id for record in taken] == [record.id for record in everything[:3]]
    assert not any(record.trial or record.deferred or record.requests for record in taken)


def test_a_record_that_is_kept_for_another_try_is_not_taken(kept: Kept) -> None:
    ledger = kept.open("17", "17", "17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.PENDING)
    assert first.id not in [record.id for record in ledger.take(9, [first.id])]


def test_a_record_that_is_left_to_a_later_run_comes_back_in_the_next_one_with_its_requests(kept: Kept) -> None:
    ledger = kept.open("17", "17", "17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.PENDING, delay=0.0)
    assert first.id not in [record.id for record in ledger.take(9, [])]
    again = kept.next_run().take(1, [])[0]
    assert (again.id, again.requests, again.deferred) == (first.id, 1, True)


def test_nothing_is_sent_before_a_later_contact_that_wolkvox_has(kept: Kept) -> None:
    ledger = kept.open("17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.PENDING)
    assert not ledger.is_outdated(first)
    kept.has_newer_contact(first)
    assert ledger.is_outdated(first)
    assert kept.state(first)[0] == "superseded"


# What is written


def test_a_record_is_settled_and_the_next_one_marked_in_one_step(kept: Kept) -> None:
    ledger = kept.open(*["17"] * 4)
    first, second = ledger.take(2, [])
    assert ledger.advance(None, first.id)
    assert kept.state(first)[0] == "sending"
    assert ledger.advance(coded(first.id), second.id)
    assert (kept.state(first), kept.state(second)[0]) == (("coded", 1), "sending")


def test_a_record_that_is_settled_is_not_sent_again(kept: Kept) -> None:
    ledger = kept.open("17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.CODED)
    assert not ledger.advance(None, first.id)
    assert kept.state(first) == ("coded", 1)


def test_a_request_that_is_no_attempt_of_its_record_does_not_count(kept: Kept) -> None:
    ledger = kept.open("17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.PENDING, counts=False)
    assert kept.state(first) == ("pending", 0)


def test_requests_that_met_an_outage_are_reverted(kept: Kept) -> None:
    ledger = kept.open("17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.FAILED)
    ledger.revert_attempts({first.id: 1})
    assert kept.state(first) == ("pending", 0)


def test_a_request_may_still_be_in_flight_for_no_longer_than_one_can_take(kept: Kept) -> None:
    ledger = kept.open("17")
    first = ledger.take(1, [])[0]
    assert ledger.advance(None, first.id)
    assert 0.0 <= ledger.still_in_flight(first.id) <= 65.0


# Whose fault it is


def test_a_campaign_that_refuses_is_suspended_and_none_of_its_records_is_rejected(kept: Kept) -> None:
    ledger = kept.open(*["17"] * 5, "18")
    refused: list[Record] = []
    while len(refused) < POLICY.refusals:
        assert not ledger.faults().suspended
        refused.append(ledger.take(1, [])[0])
        settle(ledger, refused[-1], State.REJECTED)
        faults = ledger.count(fault(refused[-1], refused=True))
    assert faults.suspended == ledger.faults().suspended == {OURS}
    assert {kept.state(record)[0] for record in refused} == {"pending"}
    assert {record.campaign for record in ledger.take(9, [])} == {OTHER}
    ledger.resume(OURS)
    assert not ledger.faults().suspended


def test_records_of_two_campaigns_that_fail_open_the_breaker_and_the_first_one_knows(kept: Kept) -> None:
    ledger = kept.open("17", "18")
    ours, other = both(ledger)
    settle(ledger, ours, State.PENDING, delay=0.0)
    assert not ledger.count(fault(ours)).outage
    settle(ledger, other, State.PENDING, delay=0.0)
    found = ledger.count(fault(other))
    assert (found.outage, found.first) == ("overloaded_500", True)
    assert ledger.faults().outage == "overloaded_500"
    assert not ledger.open_breaker("unknown_timeout", "Look."), "somebody said so before"


def test_a_success_in_between_closes_no_door(kept: Kept) -> None:
    ledger = kept.open("17", "18", "17")
    ours, other = both(ledger)
    settle(ledger, ours, State.PENDING, delay=0.0)
    ledger.count(fault(ours))
    third = ledger.take(9, [other.id])[0]
    settle(ledger, third, State.CODED)
    settle(ledger, other, State.PENDING, delay=0.0)
    assert not ledger.count(fault(other)).outage


def test_conflicts_open_no_breaker(kept: Kept) -> None:
    ledger = kept.open("17", "18")
    for record in both(ledger):
        settle(ledger, record, State.PENDING, delay=0.0)
        assert not ledger.count(fault(record, conflict=True)).outage


def test_at_a_runs_end_fewer_failures_open_the_breaker(kept: Kept) -> None:
    ledger = kept.open("17", "17", "17")
    first = ledger.take(1, [])[0]
    settle(ledger, first, State.PENDING, delay=0.0)
    ledger.count(fault(first))
    assert not ledger.judge(fault(first)).outage, "one record may be its own fault"


@pytest.mark.parametrize("reason", ["bad_token", EVERYTHING_REFUSED])
def test_an_open_breaker_is_news_once_and_one_answer_closes_it(kept: Kept, reason: str) -> None:
    ledger = kept.open("17")
    assert ledger.open_breaker(reason, "Look.")
    assert not ledger.open_breaker(reason, "Look.")
    assert ledger.faults().outage == reason
    ledger.close_breaker()
    assert ledger.faults().outage is None


def test_a_trial_is_of_each_campaign_when_it_is_due_and_not_before(kept: Kept) -> None:
    ledger = kept.open("17", "17", "18", "19", "20")
    ledger.open_breaker("overloaded_503", "Look.")
    assert list(ledger.trials()) == []
    kept.trial_is_due()
    trials = ledger.trials()
    assert len({record.campaign for record in trials}) == len(trials) == 3
    assert all(record.trial for record in trials)
    assert list(ledger.trials()) == [], "one worker tries"


def test_another_record_is_of_another_campaign(kept: Kept) -> None:
    ledger = kept.open("17", "18")
    other = ledger.another([OURS])
    assert other is not None
    assert (other.campaign, other.trial) == (OTHER, True)
    assert ledger.another([OURS, OTHER]) is None


def test_an_answer_is_seen_by_whoever_asks_since_when(kept: Kept) -> None:
    ledger = kept.open("17", "17")
    before = ledger.now()
    assert not ledger.answered_since(before)
    settle(ledger, ledger.take(1, [])[0], State.CODED)
    assert ledger.answered_since(before)
    assert not ledger.answered_since(ledger.now())


# The end


def test_a_worker_closes_only_when_nothing_is_left(kept: Kept) -> None:
    ledger = kept.open("17")
    assert not ledger.close()
    settle(ledger, ledger.take(1, [])[0], State.CODED)
    assert ledger.close()


def test_a_lone_worker_is_the_last_one_and_nobody_waits_for_its_slot(kept: Kept) -> None:
    ledger = kept.open("17")
    assert (ledger.is_last(), ledger.is_awaited(), ledger.is_held_up()) == (True, False, False)


def both(ledger: WorkerLedger) -> tuple[Record, Record]:
    """A record of each of the two campaigns."""
    of: dict[Campaign, Record] = {}
    for campaign in (OURS, OTHER):
        record = ledger.another({OTHER if campaign == OURS else OURS})
        assert record is not None
        of[campaign] = record
    return of[OURS], of[OTHER]
