"""A ledger, a quota and a vendor in memory: what the loop of a worker is handed in tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from wolkvox.errors import WolkvoxError
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record, Settled
from wolkvox.rules.retry_policy import TRIALS, RetryPolicy
from wolkvox.stop import Stop
from wolkvox.tasks.codify import codify
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
    A ledger, a quota and a vendor, all in memory, that note what they are asked to do.

    The ledger does what ``tests/ledger/test_worker_ledger.py`` asks of the real one, too. Records are those of campaign
    17 unless ``campaigns`` says otherwise; the first one is the newest.
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
        self.known_faults = Faults()
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

    def begin_run(self) -> None:
        """Offer again what earlier runs left."""
        self._had_their_turn.clear()

    def script(self, record: int, answers: Sequence[Answer]) -> None:
        """Answer a record's next requests so, and code it after that."""
        self._answers[record] = list(answers)

    def no_more_faults(self) -> None:
        """Code every record from now on."""
        self._answers.clear()

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
        free = [one for one in self.waiting() if one.campaign not in self.known_faults.suspended and one.id not in kept]
        free = free[:most]
        if self.campaign_trial_due:
            free = [record._replace(trial=True) for record in self.waiting()][: min(TRIALS, most)]
        self.took.append([record.id for record in free])
        return free

    def trials(self) -> Sequence[Record]:
        due, self.trial_due = self.trial_due, False
        of_each = {record.campaign: record for record in reversed(self.waiting())}
        return [record._replace(trial=True) for record in reversed(of_each.values())][:TRIALS] if due else []

    def another(self, campaigns: Iterable[Campaign]) -> Record | None:
        these = set(campaigns)
        return next((one._replace(trial=True) for one in self.waiting() if one.campaign not in these), None)

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        self.round_trips += 1
        if settled is not None:
            assert self.state[settled.id] == "sending"
            self.state[settled.id] = settled.state
            self.settled[settled.id] = settled
            self.attempts[settled.id] += settled.counts
            if settled.is_deferred:
                self.deferred.add(settled.id)
            if settled.state in ("coded", "rejected"):
                self.answered_at.append(self.now())
                self.failed.clear()
        if following is None or following in self.taken_by_others or self.state[following] != "pending":
            return False
        self.state[following] = "sending"
        self._had_their_turn.add(following)
        return True

    def still_in_flight(self, record: int) -> float:
        assert self.state[record] == "sending", "until this is noted, the record guards its slot"
        return self.goes_on_for

    def faults(self) -> Faults:
        return self.known_faults

    def count(self, fault: Fault) -> Faults:
        assert self.state[fault.record] != "sending", "it is settled before it is counted"
        self.counted.append(fault)
        if self.known_faults.outage:
            return self.known_faults
        if fault.refused:
            return self._count_refusal(fault)
        if not fault.conflict and fault.record not in self.failed:
            self.failed.append(fault.record)
        if len(self.failed) >= self.retry_policy.outages:
            return self._open(fault.reason)
        in_doubt = self.failed if len(self.failed) >= self.in_doubt_after else ()
        return replace(self.known_faults, in_doubt=frozenset(self.record(record).campaign for record in in_doubt))

    def _count_refusal(self, fault: Fault) -> Faults:
        refused = [one.record for one in self.counted if one.refused]
        if len(refused) >= self.refuse_after:
            self._reopen(refused)
            return self._open(EVERYTHING_REFUSED)
        if len(refused) >= self.suspend_after:
            self._reopen(refused)
            self.known_faults = Faults(frozenset({fault.campaign}))
        return self.known_faults

    def _reopen(self, records: Iterable[int]) -> None:
        """It wasn't they who were refused; each has a request left."""
        for record in records:
            if self.state[record] == "rejected":
                self.state[record] = "pending"
                self.attempts[record] = min(self.attempts[record], self.retry_policy.requests - 1)

    def judge(self, fault: Fault) -> Faults:
        return self._open(fault.reason) if len(self.failed) >= self.retry_policy.enough else Faults()

    def _open(self, reason: str) -> Faults:
        first = self.open_breaker(reason, "")
        return replace(self.known_faults, first=first)

    def resume(self, campaign: Campaign) -> None:
        self.known_faults = replace(self.known_faults, suspended=self.known_faults.suspended - {campaign})

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def answered_since(self, since: datetime) -> bool:
        return self.answered_elsewhere or any(at >= since for at in self.answered_at)

    def open_breaker(self, reason: str, message: str) -> bool:
        is_first = not (self.outage_known_to_others or self.known_faults.outage)
        self.outages.append(reason)
        self.known_faults = replace(self.known_faults, outage=reason)
        return is_first

    def revert_attempts(self, requests: Mapping[int, int]) -> None:
        self.reverted.update(requests)
        self.attempts.subtract(requests)
        self.state.update(dict.fromkeys(requests, "pending"))

    def close_breaker(self) -> None:
        self.known_faults = replace(self.known_faults, outage=None)

    def close(self) -> bool:
        self.closed += 1
        return not [record for record in self.waiting() if record.campaign not in self.known_faults.suspended]

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
        self.begin_run()
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
        """The message of the error that ends the run."""
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
