"""
The loop that codifies one chunk: record by record, each answer in the ledger before the next call.

It knows neither Airflow nor HTTP nor SQL: it is handed a ledger, a call and a quota, and can be tested with
three small fakes.
"""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind, refusal
from wolkvox.rules.patience import Patience, doubled, put_off
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record, Settled
from wolkvox.stop import Stop


class ChunkLedger(Protocol):
    """The part of the ledger the loop needs."""

    def waiting(self) -> Sequence[Record]:
        """The chunk's records still to be sent, in the order to send them; asked again until there are none."""

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        """Settle one record and mark the next one as being sent, durably, in one round trip.

        Returns whether ``following`` may be sent: False when another run has taken it meanwhile.
        """

    def goes_on(self, record: int) -> float:
        """Note that a record's call may still be in flight, though it was answered; seconds until it can't be."""

    def faults(self) -> Faults:
        """What is known to be wrong, by whichever task found it."""

    def refused(self, record: Record, answer: Answer, refusal: str, coded: bool, anything_coded: bool) -> Faults:
        """
        Count a refusal that was settled, over all tasks, and tell what is wrong by now.

        A campaign whose streak is too long is parked, an operation that refuses everything is in an outage; what
        they refused in a row is pending again. ``coded`` and ``anything_coded`` tell whether this loop had a record
        of this campaign, or any record, coded since the last refusal: a new streak begins.
        """

    def unpark(self, campaign: Campaign) -> None:
        """A probe was coded."""

    def unanswered(self) -> int:
        """How many records met an outage with their last call since anybody had an answer, whichever task sent them."""

    def begin_outage(self, reason: str, words: str, calls: Mapping[int, int]) -> bool:
        """
        Note that nothing can be sent; whether this task is the first to say so.

        :param calls: the records that met it, and how many calls are taken off each of them
        """

    def end_outage(self) -> None:
        """A call went through."""


class Quota(Protocol):
    """The day's calls."""

    def take(self) -> bool:
        """Spend one call of today's; False when there is none left."""

    def untake(self) -> None:
        """Give one call back that was taken and not made."""

    def exhausted(self) -> None:
        """The vendor says that the day's calls are used up."""


@dataclass(slots=True)
class Progress:
    """
    What the loop has done so far; ``states`` counts records by the state they were put in.

    ``put_off`` of the pending ones went wrong and wait for a later run. ``stopped`` tells what ended the chunk
    before its records did: "quota", "time" or "outage".
    """

    total: int
    started: float
    calls: int = 0
    states: Counter[str] = field(default_factory=Counter)
    put_off: int = 0
    unknown: int = 0
    call_seconds: float = 0.0
    stopped: str | None = None

    @property
    def done(self) -> int:
        """Records this attempt is through with."""
        return sum(self.states.values()) + self.put_off


OUTAGES = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.UNREACHABLE, Kind.UNKNOWN, Kind.BUSY})
AGAIN = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.UNREACHABLE, Kind.BUSY})
UNCOUNTED = frozenset({Kind.BUSY, Kind.UNREACHABLE, Kind.MAINTENANCE, Kind.QUOTA, Kind.BAD_TOKEN, Kind.WRONG_ENDPOINT})
REFUSALS = frozenset({Kind.REJECTED, Kind.NOT_FOUND})
HOPELESS = frozenset({Kind.BAD_TOKEN, Kind.WRONG_ENDPOINT})


def codify(
    *,
    ledger: ChunkLedger,
    send: Callable[[Record], Answer],
    quota: Quota,
    stop: Stop,
    patience: Patience,
    seconds: float,
    report: Callable[[Progress], None],
    report_every: float = 10.0,
) -> Progress:
    """
    Send the chunk's waiting records one by one and settle each.

    While an outage is known, the first record is a probe: what it meets ends the outage or the chunk.

    :param seconds: how long to send; the call in flight then is the last one
    :param report: called with the progress about every ``report_every`` seconds, at the start and at the end
    :param stop: when set, the call in flight is the last one
    :returns: what was done, and what ended it
    :raises BadToken: nothing was rejected, the record that met it is pending; only the first task to meet it
    :raises WrongEndpoint: likewise
    :raises BreakerOpen: likewise, after too many outages in a row or a refusal of everything
    :raises Stopped: after ``stop`` was set; the call in flight was settled
    """
    loop = _Loop(ledger, send, quota, stop, patience, seconds, report, report_every)
    loop.run()
    return loop.progress


class _Loop:
    """The state between two calls: the answer not yet written, and the row of calls that went wrong."""

    def __init__(
        self,
        ledger: ChunkLedger,
        send: Callable[[Record], Answer],
        quota: Quota,
        stop: Stop,
        patience: Patience,
        seconds: float,
        report: Callable[[Progress], None],
        report_every: float,
    ) -> None:
        self.ledger, self.send, self.quota, self.stop = ledger, send, quota, stop
        self.patience, self.report, self.report_every = patience, report, report_every
        self.queue: deque[Record] = deque()
        self.progress = Progress(total=0, started=time.monotonic())
        self.reported = self.progress.started
        self.deadline = self.progress.started + seconds
        self.unwritten: Settled | None = None
        self.faults = Faults()
        self.streak = 0  # calls in a row that met an outage
        self.last_outage: Answer | None = None  # what the last of them was answered
        self.met: Counter[int] = Counter()  # records that met it, and their calls that don't count if it is one
        self.blocked: Counter[int] = Counter()  # records that were blocked on their way, and how often in a row
        self.passed: set[int] = set()  # those of them since whose first time another one passed
        self.answered = False  # whether wolkvox has said anything of any record
        self.silent_at = self.progress.started  # when the slot's last call can't be in flight any more
        self.coded: set[Campaign] = set()  # since each campaign's last refusal
        self.anything_coded = False  # since the last refusal
        self.waits = 0  # in a row, for the record at the head of the queue
        self.tries = 0  # calls that count as an attempt of that record

    def run(self) -> None:
        """Send until the records, the time, the quota or somebody's patience end."""
        while not self.progress.stopped and self._refill():
            while self.queue and self._may_send():
                self._send_one(self.queue.popleft())
            self._write()
            if self.queue and self.stop.is_set():
                raise Stopped(
                    f"Told to stop: {self.progress.done} records sent ({self.progress.unknown} of them with an"
                    f" unknown outcome), {len(self.queue)} unsent and still pending."
                )

    def _refill(self) -> bool:
        """Fetch what waits; whether there was anything that may be sent."""
        self.faults = self.ledger.faults()
        self.queue.extend(record for record in self.ledger.waiting() if self._may_try(record))
        self.progress.total += len(self.queue)
        self.report(self.progress)
        return bool(self.queue)

    def _may_try(self, record: Record) -> bool:
        """Whether a record's campaign isn't parked, or this record is to probe it."""
        return self.faults.parked.get(record.campaign, True)

    def _may_send(self) -> bool:
        """Whether one more call is allowed; when the slot's last one goes on behind a gateway, after its end."""
        now = time.monotonic()
        if now < self.silent_at:
            self.stop.wait(min(self.silent_at, self.deadline) - now)
        if self.stop.is_set() or self.progress.stopped:
            return False
        if time.monotonic() >= self.deadline:
            self._end_of_time()
        elif not self.quota.take():
            self.progress.stopped = "quota"
        return not self.progress.stopped

    def _end_of_time(self) -> None:
        """The run's time is over; in the middle of an outage, the next run is to know of it."""
        self.progress.stopped = "time"
        if self.last_outage is not None and self.streak >= self.patience.sure:
            self._begin_outage(self.last_outage)

    def _send_one(self, record: Record) -> None:
        """Claim, send and settle one record."""
        if not self._may_try(record) or not self._claim(record):
            self.quota.untake()
            self.progress.total -= 1
            self.waits = self.tries = 0
            return
        began = time.monotonic()
        answer = self.send(record)
        now = time.monotonic()
        self.progress.calls += 1
        self.progress.call_seconds += now - began
        if answer.goes_on:
            self.silent_at = time.monotonic() + self.ledger.goes_on(record.id)
        self._settle(record, answer)
        if now - self.reported >= self.report_every:
            self.report(self.progress)
            self.reported = now

    def _claim(self, record: Record) -> bool:
        """Write the last answer and mark this record as being sent, in one round trip."""
        unwritten, self.unwritten = self.unwritten, None
        return self.ledger.advance(unwritten, record.id)

    def _write(self) -> None:
        """Write the last answer alone."""
        if self.unwritten is not None:
            unwritten, self.unwritten = self.unwritten, None
            self.ledger.advance(unwritten, None)

    def _settle(self, record: Record, answer: Answer) -> None:
        """Put the record where its answer belongs, then heed what the answer says of all the others."""
        self.tries += answer.kind not in UNCOUNTED
        if self._is_blocked_alone(record, answer):
            answer = replace(answer, kind=Kind.REJECTED, reason=f"refused_{answer.code}")
        self.unwritten = self._outcome(record, answer)
        if answer.kind is Kind.UNREACHABLE:
            self.quota.untake()
        if answer.kind is Kind.QUOTA:
            self._keep(record)
            self.quota.exhausted()
        elif record.id in self.blocked and answer.kind is Kind.REJECTED:
            self._count(answer)
            self._meet_refusal(record, answer)
        elif answer.kind in OUTAGES or answer.kind in HOPELESS:
            self._meet_outage(record, answer)
        else:
            self._meet_answer(record, answer)
        if self.queue and self.queue[0] is record:
            return
        self.waits = self.tries = 0

    def _is_blocked_alone(self, record: Record, answer: Answer) -> bool:
        """
        Whether this record can't pass while others do.

        Another one is sent before it is tried again; the last one of all is the next run's to try.
        """
        if answer.kind is not Kind.MAINTENANCE:
            self.blocked.pop(record.id, None)
            return False
        self.blocked[record.id] += 1
        if record.id in self.passed:
            return self.blocked[record.id] >= self.patience.blocked
        last, others_passed_since = not self.queue, record.put_off and self.answered
        return last and others_passed_since and record.calls + 1 >= self.patience.blocked

    def _outcome(self, record: Record, answer: Answer) -> Settled:
        """The state after this answer."""
        blocked = answer.kind is Kind.MAINTENANCE and not self.queue  # with nothing to tell whether others pass
        counts, calls = blocked or answer.kind not in UNCOUNTED, record.calls + self.tries + blocked
        state, pause = "pending", None
        if answer.kind is Kind.CODED:
            state = "coded"
        elif answer.kind in REFUSALS:
            probing = record.campaign in self.faults.parked
            if not probing or calls >= self.patience.refused_probes:
                state = "rejected"
            else:
                pause = 0.0
        elif answer.kind is Kind.UNKNOWN or blocked or (answer.kind is Kind.OVERLOADED and self._tried_enough(record)):
            at_once = self.patience.tries if answer.kind is Kind.OVERLOADED else 1
            if calls < self.patience.calls:
                pause = put_off(self.patience, calls, before=record.put_off, at_once=at_once)
            else:
                state = "failed"
        return Settled(record.id, state, answer.reason, answer.code, answer.msg, counts, pause)

    def _tried_enough(self, record: Record) -> bool:
        """Whether it is the next run's turn: one that was put off before has one try in each."""
        return record.put_off or self.tries >= self.patience.tries or record.calls + self.tries >= self.patience.calls

    def _meet_answer(self, record: Record, answer: Answer) -> None:
        """Wolkvox is there, and has said something of this record."""
        self.streak = 0
        self.answered = True
        self.passed.update(self.blocked)
        self.met.clear()
        self._count(answer)
        if self.faults.outage and (answer.kind is Kind.CODED or self.faults.outage != EVERYTHING_REFUSED):
            self._write()
            self.ledger.end_outage()
            self.faults = self.ledger.faults()
        if answer.kind is Kind.CODED:
            self._meet_success(record)
        else:
            self._meet_refusal(record, answer)

    def _meet_success(self, record: Record) -> None:
        self.coded.add(record.campaign)
        self.anything_coded = True
        if record.campaign in self.faults.parked:
            self._write()
            self.ledger.unpark(record.campaign)
            self.faults = self.ledger.faults()

    def _meet_refusal(self, record: Record, answer: Answer) -> None:
        """A refusal may be this record's, its campaign's, or everybody's: the ledger counts."""
        if record.campaign in self.faults.parked:
            self._write()
            return
        if self.faults.outage:
            self._leave_pending(record, answer)
            self.progress.stopped = "outage"
            return
        self._write()
        words = refusal(answer, record.customer_id)
        self.faults = self.ledger.refused(record, answer, words, record.campaign in self.coded, self.anything_coded)
        self.coded.discard(record.campaign)
        self.anything_coded = False
        if self.faults.outage:
            said = (
                f"Everything is refused, over several campaigns, lastly with {answer.reason} (code {answer.code})."
                " Nobody was rejected for it; the records stay pending. Check what changed at wolkvox."
            )
            self._stop_for_outage(said, answer, first=self.ledger.begin_outage(EVERYTHING_REFUSED, said, {}))

    def _leave_pending(self, record: Record, answer: Answer) -> None:
        """What was said in an outage settles nothing."""
        self.unwritten = Settled(record.id, "pending", answer.reason, answer.code, answer.msg, False)
        self._write()

    def _meet_outage(self, record: Record, answer: Answer) -> None:
        """Nobody can say yet whether it is this call or all of them."""
        if self.faults.outage:
            counts = answer.kind is Kind.UNKNOWN
            self.unwritten = Settled(record.id, "pending", answer.reason, answer.code, answer.msg, counts)
            self._write()
            self.progress.stopped = "outage"
            return
        settled = self.unwritten
        assert settled is not None
        again = settled.state == "pending" and settled.pause is None
        if again:
            self._keep(record, behind=answer.kind is Kind.MAINTENANCE)
        else:
            self._count(answer)
            self._write()
            self.streak = max(self.streak, self.ledger.unanswered() - 1)
        self.streak += 1
        self.last_outage = answer
        self.met[record.id] += answer.kind is Kind.OVERLOADED
        self.waits += 1
        pause, left = self._pause(answer), max(0.0, self.deadline - time.monotonic())
        if answer.kind in HOPELESS or self.streak >= self.patience.outages or self._ends_waiting(answer, pause, left):
            self._begin_outage(answer)
        elif self.streak == 1 and self.ledger.faults().outage:
            self._stop_for_outage("", answer, first=False)
        elif self.queue:  # whatever cut this call off may cut the next one off too
            self.stop.wait(min(pause, left))

    def _begin_outage(self, answer: Answer) -> None:
        words = _explain(self.streak, answer)
        first = self.ledger.begin_outage(answer.reason or "outage", words, self.met)
        self._stop_for_outage(words, answer, first=first)

    def _ends_waiting(self, answer: Answer, pause: float, left: float) -> bool:
        """Whether the run's time would end in this wait, and the next run would begin with the same fault."""
        asked = (answer.retry_after or 0.0) >= self.patience.longest_wait
        return pause >= left and (asked or self.streak >= self.patience.sure)

    def _keep(self, record: Record, *, behind: bool = False) -> None:
        """The same record is the next one again, or the one ``behind`` that."""
        self._write()
        self.queue.insert(int(behind), record)

    def _count(self, answer: Answer) -> None:
        """A record that this attempt is through with."""
        settled = self.unwritten
        assert settled is not None
        if settled.state == "pending":
            self.progress.put_off += 1
        else:
            self.progress.states[settled.state] += 1
        self.progress.unknown += answer.kind is Kind.UNKNOWN

    def _stop_for_outage(self, words: str, answer: Answer, *, first: bool) -> None:
        """The first task that meets it is red; for all others it is known."""
        self.progress.stopped = "outage"
        if not first:
            return
        if answer.kind is Kind.BAD_TOKEN:
            raise BadToken(words)
        if answer.kind is Kind.WRONG_ENDPOINT:
            raise WrongEndpoint(words)
        raise BreakerOpen(words)

    def _pause(self, answer: Answer) -> float:
        """Seconds to wait before the next call: more each time, or what the vendor asks for if that is more."""
        first, times = self.patience.first_wait, self.waits
        if answer.kind is Kind.MAINTENANCE and self.streak > 1:  # of the first one, another record tells more
            first, times = self.patience.maintenance_wait, self.streak - 1
        own = backoff(first, self.patience.longest_wait, times)
        return max(own, min(answer.retry_after or 0.0, self.patience.longest_retry_after))


def backoff(first: float, longest: float, tries: int) -> float:
    """A wait in seconds, doubled with each try, capped, of which a random half is jitter."""
    return doubled(first, longest, tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def _explain(count: int, answer: Answer) -> str:
    """What was seen and what to do, for the person who reads the task's log."""
    if answer.kind is Kind.BAD_TOKEN:
        return (
            f"wolkvox refused the token (code {answer.code}): put a valid one into the password of the"
            " connection; the next run then sends. Nothing was rejected, the records stay pending."
        )
    if answer.kind is Kind.WRONG_ENDPOINT:
        return (
            f"The address of the connection isn't a wolkvox API (code {answer.code}): it should look like"
            " https://wv0041.wolkvox.com. Correct the host; the records stay pending."
        )
    return (
        f"{count} call{'s' if count > 1 else ''} in a row met an outage, the last one {answer.reason} (code"
        f" {answer.code}). Check whether"
        " wolkvox is up, whether this machine's IP is on the operation's list, and whether somebody else uses the"
        " token. The records stay pending; the next runs try with one call each and take them up when it is over."
    )
