"""
The loop of a worker: it takes the newest records, sends one by one, each answer in the ledger before the next request.

It knows neither Airflow nor HTTP nor SQL: it is handed a ledger, a way to send and a quota, and can be tested with
three small fakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from wolkvox.errors import Stopped
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.chunks import batch
from wolkvox.rules.decisions import Step
from wolkvox.rules.records import Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.stop import Stop
from wolkvox.tasks.diagnosis import Diagnosis
from wolkvox.tasks.queue import Queue
from wolkvox.tasks.worker import Allotment, Progress, Quota, WorkerLedger

POLL_EVERY = 1.0  # seconds between two looks at what other workers found, and for records that come in
YIELD_AFTER = 30.0  # seconds after which a worker leaves its slot to another operation that waits for it


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

    While the circuit breaker is open, a few records of different campaigns try whether the outage is over.

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
    """
    The state between two requests.

    ``unwritten``: the last answer, which goes to the ledger with the next record. ``finished``: nothing is left to do.
    """

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
        self.report, self.report_every = report, report_every
        self.progress = Progress(started=time.monotonic())
        self.reported = self.polled = self.progress.started
        self.deadline, self.linger = self.progress.started + allotment.seconds, allotment.linger
        self.queue = Queue(ledger, allotment.records)
        self.diagnosis = Diagnosis(ledger, self.queue, self.progress, retry_policy)
        self.unwritten: Settled | None = None
        self.idle_since: float | None = None
        self.finished = False

    def run(self) -> None:
        """Send until the records, the time, the quota or the retry policy ends it."""
        self.diagnosis.refresh()
        self.report(self.progress)
        while not self._is_over():
            self._go_on()
        self._write()
        self.report(self.progress)
        if self.stop.is_set() and not self.finished and not self._close_if_empty():
            raise Stopped(
                f"Told to stop: {self.progress.done} records sent ({self.progress.unknown} of them with an unknown"
                " outcome); all others are still pending."
            )

    def _is_over(self) -> bool:
        return self.finished or self.progress.stopped is not None or self.stop.is_set()

    def _go_on(self) -> None:
        """End when time is over; else send a record, or wait for one."""
        now = time.monotonic()
        if now >= self.deadline:
            self._end_in_time()
            return
        if now - self.polled >= POLL_EVERY:
            self._poll(now)
        record = None if self.progress.stopped else self._next()
        if record is None:
            self._idle()
        elif self.diagnosis.may_be_sent(record):
            self._send_in_time(record)

    def _end_in_time(self) -> None:
        self.progress.stopped = "time"
        self._write()
        self.diagnosis.judge()

    def _poll(self, now: float) -> None:
        """See what other workers found, and whether another operation waits for the slot."""
        self.polled = now
        if not self.diagnosis.faults.outage:
            self.diagnosis.refresh()
        if now - self.progress.started > YIELD_AFTER and self.ledger.is_awaited():
            self.progress.stopped = "time"

    # What comes next

    def _next(self) -> Record | None:
        """Take the record whose turn it is; None when there is nothing to send now."""
        now = time.monotonic()
        # While records fail in a row, a new one tells more than one that failed before.
        if self.diagnosis.looks_well and (record := self.queue.due(now)) is not None:
            return record
        if not self.queue.has_taken():
            self._refill()
        if self.queue.has_taken():
            return self.queue.taken()
        return None if self.progress.stopped else self.queue.any_due(now)

    def _refill(self) -> None:
        """Take records; while the circuit breaker is open, those that try whether the outage is over, or end."""
        if self.diagnosis.faults.outage:
            self._write()
            self.queue.take_trials()
            if not self.queue.has_taken():
                self.progress.stopped = "outage"
            return
        self.queue.take(batch(self.progress.seconds_per_request))
        if self.queue.has_taken():
            self.idle_since = None

    def _idle(self) -> None:
        """Wait for a record that is to be tried again, or for more to come in; end when there is nothing."""
        if self.progress.stopped:
            return
        self._write()
        now = time.monotonic()
        if (at := self.queue.next_try()) is not None:
            self._rest(min(at - now, POLL_EVERY))
        elif self.queue.left <= 0:
            self.finished = True
        else:
            self._wait_or_close(now)

    def _wait_or_close(self, now: float) -> None:
        self.diagnosis.judge()
        if self.progress.stopped:
            return
        if self.ledger.is_held_up():
            self._rest(POLL_EVERY)
            return
        self.idle_since = now if self.idle_since is None else self.idle_since
        if self._may_linger(now - self.idle_since):
            self._rest(POLL_EVERY)
        else:
            self.finished = self.ledger.close()

    def _may_linger(self, idle: float) -> bool:
        """Whether a worker that had nothing to send for so many seconds waits for more."""
        return idle < self.linger and self.ledger.is_last() and not self.ledger.is_awaited()

    def _close_if_empty(self) -> bool:
        """Take no more, if nothing is left; whether it is so."""
        return self.queue.is_empty() and not self.ledger.is_held_up() and self.ledger.close()

    def _rest(self, seconds: float) -> None:
        self._report_now_and_then()
        self.stop.wait(max(0.0, min(seconds, self.deadline - time.monotonic())))

    def _report_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self.reported >= self.report_every:
            self.report(self.progress)
            self.reported = now

    # A record and its answer

    def _send_in_time(self, record: Record) -> None:
        """Send a record with one of the day's requests, after a wait if one is due."""
        self._rest_until(self.diagnosis.not_before)
        if time.monotonic() < self.diagnosis.not_before:  # told to stop, or the time is over
            self.queue.send_first(record)
        elif not self.quota.acquire():
            self.progress.stopped = "quota"
        elif self._claim(record):
            self._send(record)
        else:
            self.quota.release()

    def _rest_until(self, at: float) -> None:
        seconds = at - time.monotonic()
        if seconds > 0:
            self._rest(seconds)

    def _claim(self, record: Record) -> bool:
        """Write the last answer and mark the record as being sent; False when it may not be sent any more."""
        was_sent = record.requests > 0 or record.id in self.queue.tries
        if was_sent and self.ledger.is_outdated(record):
            return False
        unwritten, self.unwritten = self.unwritten, None
        return self.ledger.advance(unwritten, record.id)

    def _send(self, record: Record) -> None:
        self.queue.note_sent(record)
        began = time.monotonic()
        answer = self.send(record)
        self.progress.requests += 1
        self.progress.request_seconds += time.monotonic() - began
        if answer.still_in_flight:
            self.diagnosis.wait_until(time.monotonic() + self.ledger.still_in_flight(record.id))
        self._settle(record, answer)
        self._report_now_and_then()

    def _settle(self, record: Record, answer: Answer) -> None:
        """Put the record where its answer belongs, and do what the answer means for all others."""
        decision = self.diagnosis.decide(record, answer)
        self.unwritten = decision.settled
        self.progress.note(decision.settled, answer)
        if answer.kind is Kind.UNREACHABLE:
            self.quota.release()
        if decision.step is not Step.PROCEED:
            self._write()
        if decision.step is Step.END:
            self.quota.mark_exhausted()
            self.progress.stopped = "quota"
        else:
            self.diagnosis.take_step(record, answer, decision)

    def _write(self) -> None:
        """Write the last answer alone."""
        if self.unwritten is not None:
            unwritten, self.unwritten = self.unwritten, None
            self.ledger.advance(unwritten, None)
