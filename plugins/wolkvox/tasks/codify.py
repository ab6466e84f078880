"""
The loop of a worker: it takes the newest records, sends one by one, each answer in the ledger before the next request.

It knows neither Airflow nor HTTP nor SQL: it is handed a ledger, a way to send and a quota, and can be tested with
three small fakes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind, refusal
from wolkvox.rules.chunks import batch
from wolkvox.rules.failures import Blocked, Failures
from wolkvox.rules.faults import CERTAIN, HOST, REFUSALS, UNCOUNTED, Fault, explain
from wolkvox.rules.outcomes import Situation, outcome
from wolkvox.rules.records import EVERYTHING_REFUSED, Faults, Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy, doubled
from wolkvox.stop import Stop
from wolkvox.tasks.queue import Queue
from wolkvox.tasks.worker import Allotment, Progress, Quota, WorkerLedger

LOOK = 1.0  # seconds between two looks at what other workers found out, and for records that come in
TURN = 30.0  # seconds after which a worker leaves its slot to another operation that waits for it


def codify(
    *,
    ledger: WorkerLedger,
    send: Callable[[Record], Answer],
    quota: Quota,
    stop: Stop,
    retry_policy: RetryPolicy,
    allotment: Allotment,
    report: Callable[[Progress], None],
    report_every: float = 10.0,
) -> Progress:
    """
    Take the newest records and send them, until there are none, or the allotment, quota or the retry policy ends it.

    While an outage is known, a few records of different campaigns try whether it is over.

    :param report: called with the progress about every ``report_every`` seconds, at the start and at the end
    :param stop: when set, the request in flight is the last one
    :returns: what was done, and what ended it
    :raises BadToken: nothing was rejected, the record that met it is pending; only the first task to meet it
    :raises WrongEndpoint: likewise
    :raises BreakerOpen: likewise, after too many failures in a row or a refusal of everything
    :raises Stopped: after ``stop`` was set; the request in flight was settled
    """
    loop = _Loop(ledger, send, quota, stop, retry_policy, allotment, report, report_every)
    loop.run()
    return loop.progress


class _Loop:
    """The state between two requests: the answer not yet written, what was taken, and what failed in a row."""

    def __init__(
        self,
        ledger: WorkerLedger,
        send: Callable[[Record], Answer],
        quota: Quota,
        stop: Stop,
        retry_policy: RetryPolicy,
        allotment: Allotment,
        report: Callable[[Progress], None],
        report_every: float,
    ) -> None:
        self.ledger, self.send, self.quota, self.stop = ledger, send, quota, stop
        self.retry_policy, self.report, self.report_every = retry_policy, report, report_every
        self.progress = Progress(started=time.monotonic())
        self.reported = self.looked = self.progress.started
        self.deadline, self.linger = self.progress.started + allotment.seconds, allotment.linger
        self.queue = Queue(ledger, allotment.records)
        self.faults, self.failures, self.blocked = Faults(), Failures(), Blocked()
        self.unwritten: Settled | None = None
        self.idle_since: float | None = None
        self.through = False  # whether nothing was left to do
        self.not_before = 0.0  # when the next request may be made

    def run(self) -> None:
        """Send until the records, the time, the quota or the retry policy ends it."""
        self.faults = self.ledger.faults()
        self.report(self.progress)
        while (record := self._next()) is not None:
            self._send_one(record)
        self._write()
        self.report(self.progress)
        if self.stop.is_set() and not self._has_done_all():
            raise Stopped(
                f"Told to stop: {self.progress.done} records sent ({self.progress.unknown} of them with an unknown"
                " outcome); all others are still pending."
            )

    def _has_done_all(self) -> bool:
        """Whether nothing is left that it was told to stop before."""
        return self.through or (self.queue.is_empty() and not self.ledger.is_held_up() and self.ledger.close())

    # What comes next

    def _next(self) -> Record | None:
        """The next record to send, with a request of the day's for it; None when this worker is through."""
        while not self._is_over():
            self._look_around()
            record = self._at_hand()
            if record is None:
                if self._is_through():
                    return None
                continue
            if record.campaign in self.faults.suspended and not record.trial:
                continue
            if not self._may_send_now():
                self.queue.send_first(record)
            elif self.quota.acquire():
                return record
            else:
                self.progress.stopped = "quota"
        return None

    def _is_over(self) -> bool:
        if self.stop.is_set() or self.progress.stopped:
            return True
        if time.monotonic() >= self.deadline:
            self.progress.stopped = "time"
            self._judge()
        return bool(self.progress.stopped)

    def _look_around(self) -> None:
        """Now and then: what have others found out, and does another operation wait for its turn."""
        now = time.monotonic()
        if now - self.looked < LOOK:
            return
        self.looked = now
        if not self.faults.outage:
            self.faults = self.ledger.faults()
            if self.faults.outage:
                self.queue.forget()
        if now - self.progress.started > TURN and self.ledger.is_awaited():
            self.progress.stopped = "time"

    def _at_hand(self) -> Record | None:
        """The record whose turn it is; None when there is nothing to send at this moment."""
        if self.progress.stopped:
            return None
        now = time.monotonic()
        if self.failures.requests <= 1 and (record := self.queue.due(now)) is not None:
            return record
        if not self.queue.has_taken():
            self._refill()
        if self.queue.has_taken():  # while records fail in a row, a new one tells more than one that failed before
            return self.queue.taken()
        return None if self.progress.stopped else self.queue.any_due(now)

    def _refill(self) -> None:
        """Take records; while an outage is known those that try whether it is over, or end."""
        if self.faults.outage:
            self._write()
            self.queue.take_trials()
            if not self.queue.has_taken():
                self.progress.stopped = "outage"
            return
        average = self.progress.request_seconds / self.progress.requests if self.progress.requests else 0.0
        self.queue.take(batch(average))
        if self.queue.has_taken():
            self.idle_since = None

    def _is_through(self) -> bool:
        """Nothing is at hand: wait for a record that is to be tried again, or for more; whether there is none."""
        if self.progress.stopped:
            return True
        self._write()
        now = time.monotonic()
        if (at := self.queue.next_try()) is not None:
            self._rest(min(at - now, LOOK))
            return False
        if self.queue.left <= 0:
            self.through = True
            return True
        self._judge()
        if self.progress.stopped:
            return True
        if self.ledger.is_held_up():
            self._rest(LOOK)
            return False
        self.idle_since = now if self.idle_since is None else self.idle_since
        if now - self.idle_since < self.linger and self.ledger.is_last() and not self.ledger.is_awaited():
            self._rest(LOOK)
            return False
        self.through = self.ledger.close()
        return self.through

    def _may_send_now(self) -> bool:
        """Wait, if a request must wait; False when the wait was broken off."""
        seconds = self.not_before - time.monotonic()
        if seconds <= 0:
            return True
        self._rest(seconds)
        return time.monotonic() >= self.not_before

    def _rest(self, seconds: float) -> None:
        self._report_now_and_then()
        self.stop.wait(max(0.0, min(seconds, self.deadline - time.monotonic())))

    def _report_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self.reported >= self.report_every:
            self.report(self.progress)
            self.reported = now

    # A record and its answer

    def _send_one(self, record: Record) -> None:
        """Claim, send and settle one record."""
        was_sent = record.requests > 0 or record.id in self.queue.tries
        if was_sent and self.ledger.is_outdated(record):
            self.quota.release()
            return
        unwritten, self.unwritten = self.unwritten, None
        if not self.ledger.advance(unwritten, record.id):
            self.quota.release()
            return
        self.queue.note_sent(record)
        began = time.monotonic()
        answer = self.send(record)
        self.progress.requests += 1
        self.progress.request_seconds += time.monotonic() - began
        if answer.still_in_flight:
            self.not_before = time.monotonic() + self.ledger.still_in_flight(record.id)
        self._settle(record, answer)
        self._report_now_and_then()

    def _write(self) -> None:
        """Write the last answer alone."""
        if self.unwritten is not None:
            unwritten, self.unwritten = self.unwritten, None
            self.ledger.advance(unwritten, None)

    def _settle(self, record: Record, answer: Answer) -> None:
        """Put the record where its answer belongs, then heed what the answer says of all the others."""
        self.queue.tries[record.id] += answer.kind not in UNCOUNTED
        if answer.kind is Kind.MAINTENANCE:
            self.blocked.add(record)
        settled = outcome(record, answer, self._situation(record, answer), self.retry_policy)
        self.unwritten = settled
        self.progress.note(settled, answer)
        if answer.kind is Kind.UNREACHABLE:
            self.quota.release()
        if answer.kind is Kind.QUOTA:
            self._write()
            self.quota.mark_exhausted()
            self.progress.stopped = "quota"
        elif answer.kind is Kind.CODED:
            self._meet_success(record)
        elif answer.kind in REFUSALS or settled.state == "rejected":
            self._meet_refusal(record, answer, settled.reason or "refused")
        else:
            self._meet_failure(record, answer, settled)

    def _situation(self, record: Record, answer: Answer) -> Situation:
        blocked = answer.kind is Kind.MAINTENANCE
        # Of a record that is blocked on its way, only others tell whether they pass.
        others_tell = not blocked or self.queue.has_taken() or record.id in self.blocked.passed
        return Situation(
            self.queue.tries[record.id],
            refusals=self.retry_policy.refused_trials if record.campaign in self.faults.suspended else 0,
            at_once=not self.faults.outage and others_tell,
            blocked_alone=blocked and self.blocked.is_alone(record),
            outage=bool(self.faults.outage),
            refused=self.faults.outage == EVERYTHING_REFUSED,
        )

    # What an answer says of all the others

    def _meet_answer(self) -> None:
        """Wolkvox is there, and has said something of a record."""
        self.blocked.note_answer()
        self.failures = Failures()
        if self.faults.outage:
            self._write()
            self.ledger.close_breaker()
            self.faults = self.ledger.faults()

    def _meet_success(self, record: Record) -> None:
        self._meet_answer()
        if record.campaign in self.faults.suspended:
            self._write()
            self.ledger.resume(record.campaign)
            self.faults = self.ledger.faults()

    def _meet_refusal(self, record: Record, answer: Answer, reason: str) -> None:
        """A refusal may be this record's, its campaign's, or everybody's: the ledger counts."""
        self._write()
        if self.faults.outage == EVERYTHING_REFUSED:  # nothing new: the trial of another campaign may tell more
            return
        self._meet_answer()
        if record.campaign in self.faults.suspended:
            return
        said = (
            f"Everything is refused, over several campaigns, lastly with {reason} (code {answer.code})."
            " Nobody was rejected for it; the records stay pending. Check what changed at wolkvox."
        )
        self._count(self._fault(record, answer, reason=reason, explanation=said, refused=True), answer)

    def _meet_failure(self, record: Record, answer: Answer, settled: Settled) -> None:
        """Nobody can say yet whether it is this record, its campaign, or all of them."""
        self._write()
        if self.faults.outage:
            if answer.kind in HOST or answer.kind in CERTAIN:
                self.queue.forget_taken()  # another record would meet the same
            return
        self.failures.add(record, answer)
        if answer.kind in CERTAIN:
            self._open_breaker(answer)
        elif answer.kind in HOST:
            self._meet_silence(record, answer)
        else:
            self._meet_doubt(record, answer, settled)

    def _meet_silence(self, record: Record, answer: Answer) -> None:
        """The record was not read: it is the next one again, after a while."""
        self.failures.unread += 1
        if self.failures.since is None:
            self.failures.since = self.ledger.now()
            self.faults = self.ledger.faults()  # perhaps another task knows
            if self.faults.outage:
                self._stop_for_outage("", answer, first=False)
                return
        if self.failures.unread >= self.retry_policy.outages:
            if not self.ledger.answered_since(self.failures.since):
                self._open_breaker(answer)
                return
            self.failures.unread, self.failures.since = 0, None
        self.queue.send_first(record)
        self._wait(answer, self.failures.unread)

    def _meet_doubt(self, record: Record, answer: Answer, settled: Settled) -> None:
        """Another record is sent before this one is tried again; from the second failure in a row on, after a while."""
        tries = self.queue.tries[record.id]
        if settled.state == "pending" and settled.pause is None:
            wait = backoff(self.retry_policy.first_wait, self.retry_policy.longest_wait, tries)
            self.queue.try_again(record, time.monotonic() + max(wait, answer.retry_after or 0.0))
        if tries == 1:
            self._count(self._fault(record, answer), answer)
        if self.failures.requests > 1 and not self.progress.stopped and not self._may_pass_elsewhere(record, answer):
            self._wait(answer, self.failures.requests - 1)

    def _may_pass_elsewhere(self, record: Record, answer: Answer) -> bool:
        """Before a wait of a minute or more a record of another campaign is sent, which may not be meant."""
        if (
            answer.retry_after is None
            or answer.retry_after < self.retry_policy.longest_wait
            or self.queue.is_check(record)
        ):
            return False
        return self.queue.next_is_check() or self.queue.check({record.campaign})

    # Whose fault it is

    def _count(self, fault: Fault, answer: Answer) -> None:
        """Whose fault it is; in doubt, a record of another campaign is sent next."""
        self.faults = self.ledger.count(fault)
        if self.faults.outage:
            self._stop_for_outage(fault.explanation, answer, first=self.faults.first)
        elif self.faults.in_doubt:
            self.queue.check(self.faults.in_doubt)

    def _fault(
        self, record: Record, answer: Answer, reason: str = "", explanation: str = "", *, refused: bool = False
    ) -> Fault:
        return Fault(
            record.id,
            record.campaign,
            reason or answer.reason or "failed",
            refusal(answer, record.customer_id),
            explanation or explain(answer),
            refused=refused,
            conflict=answer.kind is Kind.CONFLICT,
            checks=self.queue.is_check(record),
        )

    def _wait(self, answer: Answer, times: int) -> None:
        """The next request waits: longer each time, or what the vendor asks for if that is more."""
        first = self.retry_policy.maintenance_wait if answer.kind is Kind.MAINTENANCE else self.retry_policy.first_wait
        own = backoff(first, self.retry_policy.longest_wait, times)
        asked = min(answer.retry_after or 0.0, self.retry_policy.longest_retry_after)
        self.not_before = max(self.not_before, time.monotonic() + max(own, asked))

    def _judge(self) -> None:
        """Nothing is left that could tell whether it is an outage: the next run would begin with the same fault."""
        last, self.failures.last = self.failures.last, None
        if last is None or self.faults.outage:
            return
        record, answer = last
        if answer.kind in HOST:
            since = self.failures.since
            if self.failures.unread >= self.retry_policy.sure and since and not self.ledger.answered_since(since):
                self._open_breaker(answer)
            return
        self._write()
        fault = self._fault(record, answer)
        found = self.ledger.judge(fault)
        if found.outage:
            self._stop_for_outage(fault.explanation, answer, first=found.first)

    def _open_breaker(self, answer: Answer) -> None:
        message = explain(answer)
        self._stop_for_outage(message, answer, first=self.ledger.open_breaker(answer.reason or "outage", message))

    def _stop_for_outage(self, message: str, answer: Answer, *, first: bool) -> None:
        """The first task that meets it is red; for all others it is known."""
        self._write()
        if self.failures.reverted:
            self.ledger.revert_attempts(self.failures.reverted)
        self.progress.stopped = "outage"
        if first:
            raise {Kind.BAD_TOKEN: BadToken, Kind.WRONG_ENDPOINT: WrongEndpoint}.get(answer.kind, BreakerOpen)(message)


def backoff(first: float, longest: float, tries: int) -> float:
    """A wait in seconds, doubled with each try, capped, of which a random half is jitter."""
    return doubled(first, longest, tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
