"""What a worker makes of failures: whether one record, its campaign or everybody is at fault."""

from __future__ import annotations

import random
import time

from wolkvox.errors import BadToken, BreakerOpen, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.decisions import Decision, Step, decide
from wolkvox.rules.failures import Blocked, Failures
from wolkvox.rules.faults import HOST, UNCOUNTED, Fault, explain, failure_of, refusal_of
from wolkvox.rules.outcomes import Situation
from wolkvox.rules.records import EVERYTHING_REFUSED, Faults, Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy, backoff
from wolkvox.tasks.queue import Queue
from wolkvox.tasks.worker import Progress, WorkerLedger

ERRORS = {Kind.BAD_TOKEN: BadToken, Kind.WRONG_ENDPOINT: WrongEndpoint}


class Diagnosis:
    """
    The faults that a worker knows of, and what failed in a row; it opens, tries and closes the circuit breaker.

    ``not_before``: when the next request may be made, by the monotonic clock. Where a method asks the ledger, the last
    answer must be written first: the ledger counts settled records.
    """

    def __init__(self, ledger: WorkerLedger, queue: Queue, progress: Progress, retry_policy: RetryPolicy) -> None:
        self._ledger, self._queue, self._progress, self._retry_policy = ledger, queue, progress, retry_policy
        self.faults = Faults()
        self.not_before = 0.0
        self._failures, self._blocked = Failures(), Blocked()

    @property
    def looks_well(self) -> bool:
        """Whether at most one request has failed since wolkvox last read a record."""
        return self._failures.requests <= 1

    def may_be_sent(self, record: Record) -> bool:
        """Whether nothing is wrong with the record's campaign, or the record is to try whether that is over."""
        return record.trial or record.campaign not in self.faults.suspended

    def refresh(self) -> None:
        """Ask the ledger what other workers found; once the breaker is open, nothing is sent that was taken."""
        self.faults = self._ledger.faults()
        if self.faults.outage:
            self._queue.forget()

    def wait_until(self, at: float) -> None:
        """Let no request be made before this time of the monotonic clock."""
        self.not_before = max(self.not_before, at)

    def decide(self, record: Record, answer: Answer) -> Decision:
        """Count a request, and return what its answer leads to."""
        self._queue.tries[record.id] += answer.kind not in UNCOUNTED
        if answer.kind is Kind.MAINTENANCE:
            self._blocked.add(record)
        return decide(record, answer, self._situation(record, answer), self._retry_policy)

    def _situation(self, record: Record, answer: Answer) -> Situation:
        blocked = answer.kind is Kind.MAINTENANCE
        # Of a record that is blocked on its way, only others tell whether they pass.
        others_tell = not blocked or self._queue.has_taken() or record.id in self._blocked.passed
        return Situation(
            self._queue.tries[record.id],
            suspended=record.campaign in self.faults.suspended,
            at_once=others_tell and not self.faults.outage,
            blocked_alone=blocked and self._blocked.is_alone(record),
            outage=bool(self.faults.outage),
            everything_refused=self.faults.outage == EVERYTHING_REFUSED,
        )

    def take_step(self, record: Record, answer: Answer, decision: Decision) -> None:
        """
        Do what an answer leads to.

        :raises WolkvoxError: as ``judge`` does
        """
        match decision.step:
            case Step.PROCEED | Step.CLEAR:
                self._clear()
            case Step.RESUME:
                self._resume(record)
            case Step.COUNT:
                self._clear()
                reason = decision.settled.reason or "refused"
                self._count(refusal_of(record, answer, reason, checks=self._queue.is_check(record)), answer)
            case Step.STOP_TRYING:
                self._queue.forget_taken()
            case Step.OPEN:
                self._failures.add(record, answer)
                self._open_breaker(answer)
            case Step.REPEAT:
                self._failures.add(record, answer)
                self._repeat(record, answer)
            case Step.COMPARE:
                self._failures.add(record, answer)
                self._compare(record, answer, decision.settled)

    # Wolkvox reads records

    def _clear(self) -> None:
        """Nothing that failed before was an outage, and one that there was is over."""
        self._blocked.note_answer()
        if self._failures:
            self._failures = Failures()
        if self.faults.outage:
            self._ledger.close_breaker()
            self.faults = self._ledger.faults()

    def _resume(self, record: Record) -> None:
        self._clear()
        self._ledger.resume(record.campaign)
        self.faults = self._ledger.faults()

    def _count(self, fault: Fault, answer: Answer) -> None:
        """Let the ledger count the fault over all workers; in doubt, a record of another campaign is sent next."""
        self.faults = self._ledger.count(fault)
        if self.faults.outage:
            self._end(fault.explanation, answer, first=self.faults.first)
        elif self.faults.in_doubt:
            self._queue.check(self.faults.in_doubt)

    # Nobody can say yet whether it is this record, its campaign, or everybody

    def _repeat(self, record: Record, answer: Answer) -> None:
        """Send the record again after a wait; after several of them, ask the ledger whether wolkvox is away."""
        failures = self._failures
        failures.unread += 1
        if failures.since is None:
            failures.since = self._ledger.now()
            self.faults = self._ledger.faults()  # perhaps another worker knows
            if self.faults.outage:
                self._end("", answer, first=False)
                return
        if failures.unread >= self._retry_policy.outages:
            if not self._ledger.answered_since(failures.since):
                self._open_breaker(answer)
                return
            failures.unread, failures.since = 0, None
        self._queue.send_first(record)
        self._wait(answer, failures.unread)

    def _compare(self, record: Record, answer: Answer, settled: Settled) -> None:
        """Send others before the record is tried again; from the second failure in a row on, after a wait."""
        policy, tries = self._retry_policy, self._queue.tries[record.id]
        if settled.is_tried_again:
            wait = backoff(policy.first_wait, policy.longest_wait, tries, _chance())
            self._queue.try_again(record, time.monotonic() + max(wait, answer.retry_after or 0.0))
        if tries == 1:
            self._count(failure_of(record, answer, checks=self._queue.is_check(record)), answer)
        if self.looks_well or self._progress.stopped:
            return
        if not (self._asks_for_long(record, answer) and self._check_another(record)):
            self._wait(answer, self._failures.requests - 1)

    def _asks_for_long(self, record: Record, answer: Answer) -> bool:
        """Whether a record that no doubt chose asks for a wait that another campaign's may not need."""
        asked = answer.retry_after is not None and answer.retry_after >= self._retry_policy.longest_wait
        return asked and not self._queue.is_check(record)

    def _check_another(self, record: Record) -> bool:
        """Send a record of another campaign next; whether there is one."""
        return self._queue.next_is_check() or self._queue.check({record.campaign})

    def _wait(self, answer: Answer, times: int) -> None:
        """Let the next request wait: longer each time, or for what wolkvox asks if that is more."""
        policy = self._retry_policy
        first = policy.maintenance_wait if answer.kind is Kind.MAINTENANCE else policy.first_wait
        own = backoff(first, policy.longest_wait, times, _chance())
        self.wait_until(time.monotonic() + max(own, min(answer.retry_after or 0.0, policy.longest_retry_after)))

    # The circuit breaker

    def judge(self) -> None:
        """
        Open the breaker if what failed in a row is enough for it: no other record can tell in this run.

        Else the next run would begin with the same fault.

        :raises BadToken: this worker is the first to open it, for the token was refused
        :raises WrongEndpoint: likewise, for there is no such API
        :raises BreakerOpen: likewise, for any other reason
        """
        last, self._failures.last = self._failures.last, None
        if last is None or self.faults.outage:
            return
        record, answer = last
        if answer.kind in HOST:
            if self._is_silent():
                self._open_breaker(answer)
            return
        fault = failure_of(record, answer, checks=self._queue.is_check(record))
        faults = self._ledger.judge(fault)
        if faults.outage:
            self._end(fault.explanation, answer, first=faults.first)

    def _is_silent(self) -> bool:
        """Whether wolkvox read no record of any worker for a few requests of this one."""
        failures = self._failures
        if failures.unread < self._retry_policy.enough or failures.since is None:
            return False
        return not self._ledger.answered_since(failures.since)

    def _open_breaker(self, answer: Answer) -> None:
        message = explain(answer)
        self._end(message, answer, first=self._ledger.open_breaker(answer.reason or "outage", message))

    def _end(self, message: str, answer: Answer, *, first: bool) -> None:
        """End the worker; only the first one to open the breaker fails."""
        if self._failures.reverted:
            self._ledger.revert_attempts(self._failures.reverted)
        self._progress.stopped = "outage"
        if first:
            raise ERRORS.get(answer.kind, BreakerOpen)(message)


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads load, guards nothing
