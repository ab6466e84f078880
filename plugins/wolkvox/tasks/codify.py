"""
The loop of a worker: it takes the newest records, sends one by one, each answer in the ledger before the next request.

It knows neither Airflow nor HTTP nor SQL: it is handed a ledger, a way to send and a quota, and can be tested with
three small fakes.
"""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind, refusal
from wolkvox.rules.chunks import batch
from wolkvox.rules.faults import CERTAIN, HOST, REFUSALS, TAKEN_BACK, UNCOUNTED, Fault, explanation
from wolkvox.rules.outcomes import Situation, outcome
from wolkvox.rules.patience import Patience, doubled
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record, Settled
from wolkvox.stop import Stop
from wolkvox.tasks.worker import Allotment, Progress, Quota, WorkerLedger

LOOK = 1.0  # seconds between two looks at what other workers found out, and for records that come in
TURN = 30.0  # seconds after which a worker leaves its slot to another operation that waits for it


def codify(
    *,
    ledger: WorkerLedger,
    send: Callable[[Record], Answer],
    quota: Quota,
    stop: Stop,
    patience: Patience,
    allotment: Allotment,
    report: Callable[[Progress], None],
    report_every: float = 10.0,
) -> Progress:
    """
    Take the newest records and send them, until there are none, or the allotment, quota or somebody's patience ends.

    While an outage is known, a few records of different campaigns try whether it is over.

    :param report: called with the progress about every ``report_every`` seconds, at the start and at the end
    :param stop: when set, the request in flight is the last one
    :returns: what was done, and what ended it
    :raises BadToken: nothing was rejected, the record that met it is pending; only the first task to meet it
    :raises WrongEndpoint: likewise
    :raises BreakerOpen: likewise, after too many failures in a row or a refusal of everything
    :raises Stopped: after ``stop`` was set; the request in flight was settled
    """
    loop = _Loop(ledger, send, quota, stop, patience, allotment, report, report_every)
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
        patience: Patience,
        allotment: Allotment,
        report: Callable[[Progress], None],
        report_every: float,
    ) -> None:
        self.ledger, self.send, self.quota, self.stop = ledger, send, quota, stop
        self.patience, self.report, self.report_every = patience, report, report_every
        self.progress = Progress(started=time.monotonic())
        self.reported = self.looked = self.progress.started
        self.deadline = self.progress.started + allotment.seconds
        self.left, self.linger = allotment.records, allotment.linger
        self.queue: deque[Record] = deque()
        self.again: list[tuple[float, int, Record]] = []  # when to try which record again in this run
        self.unwritten: Settled | None = None
        self.faults = Faults()
        self.tries: Counter[int] = Counter()  # of each record, in this run
        self.blocked: set[int] = set()  # records that were blocked on their way
        self.checks: set[int] = set()  # records that were sent to tell whether others fail too
        self.passed: set[int] = set()  # those of them since whose first time another one was answered
        self.answered = False  # whether wolkvox has said anything of any record
        self.latest: int | None = None  # the record that was sent last: another one is sent before it is tried again
        self.idle_since: float | None = None
        self.through = False  # whether nothing was left to do
        self.not_before = 0.0  # when the next request may be made
        # Since the last answer:
        self.failures = 0  # requests
        self.unread = 0  # requests that no record is to blame for
        self.since: datetime | None = None  # when the first of those was made
        self.last: tuple[Record, Answer] | None = None
        self.met: Counter[int] = Counter()  # records, and their requests that don't count if it is an outage

    def run(self) -> None:
        """Send until the records, the time, the quota or somebody's patience end."""
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
        return self.through or (
            not self.queue and not self.again and not self.ledger.is_held_up() and self.ledger.close()
        )

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
                self.queue.appendleft(record)
            elif self.quota.take():
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
                self.queue.clear()
                self.again.clear()
        if now - self.progress.started > TURN and self.ledger.is_awaited():
            self.progress.stopped = "time"

    def _at_hand(self) -> Record | None:
        """The record whose turn it is; None when there is nothing to send at this moment."""
        if self.progress.stopped:
            return None
        due = bool(self.again) and self.again[0][0] <= time.monotonic()
        if due and self.failures <= 1 and self.again[0][1] != self.latest:
            return heapq.heappop(self.again)[2]
        if not self.queue:
            self._refill()
        if self.queue:  # while records fail in a row, a new one tells more than one that failed before
            return self.queue.popleft()
        return heapq.heappop(self.again)[2] if due and not self.progress.stopped else None

    def _refill(self) -> None:
        """Take records; while an outage is known those that try whether it is over, or end."""
        if self.faults.outage:
            self._write()
            self.queue.extend(map(self._recounted, self.ledger.trials()[: max(0, self.left)]))
            if not self.queue:
                self.progress.stopped = "outage"
            return
        average = self.progress.call_seconds / self.progress.calls if self.progress.calls else 0.0
        most = min(batch(average), self.left)
        if most > 0:
            self.queue.extend(map(self._recounted, self.ledger.take(most, [record.id for *_, record in self.again])))
        if self.queue:
            self.idle_since = None

    def _is_through(self) -> bool:
        """Nothing is at hand: wait for a record that is to be tried again, or for more; whether there is none."""
        if self.progress.stopped:
            return True
        self._write()
        now = time.monotonic()
        if self.again:
            self._rest(min(self.again[0][0] - now, LOOK))
            return False
        if self.left <= 0:
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

    def _send_one(self, record: Record) -> None:
        """Claim, send and settle one record."""
        was_sent = record.calls > 0 or record.id in self.tries
        if was_sent and self.ledger.is_outdated(record):
            self.quota.untake()
            return
        unwritten, self.unwritten = self.unwritten, None
        if not self.ledger.advance(unwritten, record.id):
            self.quota.untake()
            return
        self.left -= record.id not in self.tries
        self.latest = record.id
        began = time.monotonic()
        answer = self.send(record)
        self.progress.calls += 1
        self.progress.call_seconds += time.monotonic() - began
        if answer.goes_on:
            self.not_before = time.monotonic() + self.ledger.goes_on(record.id)
        self._settle(record, answer)
        self._report_now_and_then()

    def _write(self) -> None:
        """Write the last answer alone."""
        if self.unwritten is not None:
            unwritten, self.unwritten = self.unwritten, None
            self.ledger.advance(unwritten, None)

    def _settle(self, record: Record, answer: Answer) -> None:
        """Put the record where its answer belongs, then heed what the answer says of all the others."""
        self.tries[record.id] += answer.kind not in UNCOUNTED
        settled = outcome(record, answer, self._situation(record, answer), self.patience)
        self.unwritten = settled
        if settled.state == "pending" and settled.pause is not None:
            self.progress.put_off += 1
        elif settled.state != "pending":
            self.progress.states[settled.state] += 1
        self.progress.unknown += answer.kind is Kind.UNKNOWN
        if answer.kind is Kind.UNREACHABLE:
            self.quota.untake()
        if answer.kind is Kind.QUOTA:
            self._write()
            self.quota.exhausted()
            self.progress.stopped = "quota"
        elif answer.kind is Kind.CODED:
            self._meet_success(record)
        elif answer.kind in REFUSALS or settled.state == "rejected":
            self._meet_refusal(record, answer, settled.reason or "refused")
        else:
            self._meet_failure(record, answer, settled)

    def _situation(self, record: Record, answer: Answer) -> Situation:
        alone = False
        if answer.kind is Kind.MAINTENANCE:
            self.blocked.add(record.id)
            alone = record.id in self.passed or (record.put_off and self.answered)
        return Situation(
            self.tries[record.id],
            refusals=self._refusals_allowed(record),
            at_once=not self.faults.outage and self._others_tell(record, answer),
            blocked_alone=alone,
            outage=bool(self.faults.outage),
            refused=self.faults.outage == EVERYTHING_REFUSED,
        )

    def _others_tell(self, record: Record, answer: Answer) -> bool:
        """Of a record that is blocked on its way, only others tell whether they pass."""
        return answer.kind is not Kind.MAINTENANCE or bool(self.queue) or record.id in self.passed

    def _refusals_allowed(self, record: Record) -> int:
        return self.patience.refused_trials if record.campaign in self.faults.suspended else 0

    def _meet_answer(self) -> None:
        """Wolkvox is there, and has said something of a record."""
        self.answered = True
        self.passed |= self.blocked
        self.failures = self.unread = 0
        self.since = self.last = None
        self.met.clear()

    def _meet_success(self, record: Record) -> None:
        self._meet_answer()
        if self.faults.outage:
            self._end_outage()
        if record.campaign in self.faults.suspended:
            self._write()
            self.ledger.resume(record.campaign)
            self.faults = self.ledger.faults()

    def _end_outage(self) -> None:
        self._write()
        self.ledger.end_outage()
        self.faults = self.ledger.faults()

    def _meet_refusal(self, record: Record, answer: Answer, reason: str) -> None:
        """A refusal may be this record's, its campaign's, or everybody's: the ledger counts."""
        self._write()
        if self.faults.outage == EVERYTHING_REFUSED:  # nothing new: the trial of another campaign may tell more
            return
        self._meet_answer()
        if self.faults.outage:
            self._end_outage()
        if record.campaign in self.faults.suspended:
            return
        said = (
            f"Everything is refused, over several campaigns, lastly with {reason} (code {answer.code})."
            " Nobody was rejected for it; the records stay pending. Check what changed at wolkvox."
        )
        message, checks = refusal(answer, record.customer_id), record.id in self.checks
        self._count(Fault(record.id, record.campaign, reason, message, said, refused=True, checks=checks), answer)

    def _meet_failure(self, record: Record, answer: Answer, settled: Settled) -> None:
        """Nobody can say yet whether it is this record, its campaign, or all of them."""
        self._write()
        if self.faults.outage:
            if answer.kind in HOST or answer.kind in CERTAIN:
                self.queue.clear()  # another record would meet the same
            return
        self.failures += answer.kind is not Kind.CONFLICT
        self.met[record.id] += answer.kind in TAKEN_BACK
        if answer.kind is not Kind.CONFLICT:
            self.last = record, answer
        if answer.kind in CERTAIN:
            self._begin_outage(answer)
        elif answer.kind in HOST:
            self._meet_silence(record, answer)
        else:
            self._meet_doubt(record, answer, settled)

    def _meet_silence(self, record: Record, answer: Answer) -> None:
        """The record was not read: it is the next one again, after a while."""
        self.unread += 1
        if self.since is None:
            self.since = self.ledger.now()
            self.faults = self.ledger.faults()  # perhaps another task knows
            if self.faults.outage:
                self._stop_for_outage("", answer, first=False)
                return
        if self.unread >= self.patience.outages:
            if not self.ledger.answered_since(self.since):
                self._begin_outage(answer)
                return
            self.unread, self.since = 0, None
        self.queue.appendleft(record)
        self._wait(answer, self.unread)

    def _meet_doubt(self, record: Record, answer: Answer, settled: Settled) -> None:
        """Another record is sent before this one is tried again; from the second failure in a row on, after a while."""
        if settled.state == "pending" and settled.pause is None:
            wait = backoff(self.patience.first_wait, self.patience.longest_wait, self.tries[record.id])
            due = time.monotonic() + max(wait, answer.retry_after or 0.0)
            heapq.heappush(self.again, (due, record.id, record))
        if self.tries[record.id] == 1:
            self._count(self._fault(record, answer), answer)
        if self.failures > 1 and not self.progress.stopped and not self._may_pass_elsewhere(record, answer):
            self._wait(answer, self.failures - 1)

    def _may_pass_elsewhere(self, record: Record, answer: Answer) -> bool:
        """Before a wait of a minute or more a record of another campaign is sent, which may not be meant."""
        if answer.retry_after is None or answer.retry_after < self.patience.longest_wait or record.id in self.checks:
            return False
        other = self.queue[0] if self.queue and self.queue[0].id in self.checks else None
        return other is not None or self._check({record.campaign})

    def _check(self, campaigns: Iterable[Campaign]) -> bool:
        """Send a record of another campaign next, to tell whether it fails too; whether there is one."""
        other = self.ledger.another(campaigns) if self.left > 0 else None
        if other is None:
            return False
        self.checks.add(other.id)
        self.queue = deque(record for record in self.queue if record.id != other.id)
        self.again = [waiting for waiting in self.again if waiting[1] != other.id]
        heapq.heapify(self.again)
        self.queue.appendleft(self._recounted(other))
        return True

    def _recounted(self, record: Record) -> Record:
        """A record from the ledger, whose requests of this run are counted here."""
        return record._replace(calls=max(0, record.calls - self.tries[record.id]))

    def _count(self, fault: Fault, answer: Answer) -> None:
        """Whose fault it is; in doubt, a record of another campaign is sent next."""
        self.faults = self.ledger.count(fault)
        if self.faults.outage:
            self._stop_for_outage(fault.explanation, answer, first=self.faults.first)
        elif self.faults.in_doubt:
            self._check(self.faults.in_doubt)

    def _fault(self, record: Record, answer: Answer) -> Fault:
        return Fault(
            record.id,
            record.campaign,
            answer.reason or "failed",
            refusal(answer, record.customer_id),
            explanation(answer),
            refused=False,
            conflict=answer.kind is Kind.CONFLICT,
            checks=record.id in self.checks,
        )

    def _wait(self, answer: Answer, times: int) -> None:
        """The next request waits: longer each time, or what the vendor asks for if that is more."""
        first = self.patience.maintenance_wait if answer.kind is Kind.MAINTENANCE else self.patience.first_wait
        own = backoff(first, self.patience.longest_wait, times)
        asked = min(answer.retry_after or 0.0, self.patience.longest_retry_after)
        self.not_before = max(self.not_before, time.monotonic() + max(own, asked))

    def _judge(self) -> None:
        """Nothing is left that could tell whether it is an outage: the next run would begin with the same fault."""
        last, self.last = self.last, None
        if last is None or self.faults.outage:
            return
        record, answer = last
        if answer.kind in HOST:
            if self.unread >= self.patience.sure and self.since and not self.ledger.answered_since(self.since):
                self._begin_outage(answer)
            return
        self._write()
        fault = self._fault(record, answer)
        found = self.ledger.judge(fault)
        if found.outage:
            self._stop_for_outage(fault.explanation, answer, first=found.first)

    def _begin_outage(self, answer: Answer) -> None:
        message = explanation(answer)
        self._stop_for_outage(message, answer, first=self.ledger.begin_outage(answer.reason or "outage", message))

    def _stop_for_outage(self, message: str, answer: Answer, *, first: bool) -> None:
        """The first task that meets it is red; for all others it is known."""
        self._write()
        if self.met:
            self.ledger.take_back(self.met)
        self.progress.stopped = "outage"
        if not first:
            return
        if answer.kind is Kind.BAD_TOKEN:
            raise BadToken(message)
        if answer.kind is Kind.WRONG_ENDPOINT:
            raise WrongEndpoint(message)
        raise BreakerOpen(message)


def backoff(first: float, longest: float, tries: int) -> float:
    """A wait in seconds, doubled with each try, capped, of which a random half is jitter."""
    return doubled(first, longest, tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
