"""
The loop that codifies one chunk: record by record, each answer in the ledger before the next call.

It knows neither Airflow nor HTTP nor SQL: it is handed a ledger, a call and a quota, and can be tested with
three small fakes.
"""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from wolkvox.errors import BadToken, BreakerOpen, Stopped, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.records import Record, Settled


class ChunkLedger(Protocol):
    """The part of the ledger the loop needs."""

    def waiting(self) -> Sequence[Record]:
        """The chunk's records still to be sent, in the order to send them; asked again until there are none."""

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        """Settle one record and mark the next one as being sent, durably, in one round trip.

        Returns whether ``following`` may be sent: False when another run has taken it meanwhile.
        """

    def reopen(self, ids: Sequence[int]) -> None:
        """Put settled records back to pending: what settled them was an outage, not an answer."""


class Quota(Protocol):
    """The day's calls."""

    def take(self) -> bool:
        """Spend one call of today's; False when there is none left."""

    def untake(self) -> None:
        """Give one call back that was taken and not made."""

    def exhausted(self) -> None:
        """The vendor says that the day's calls are used up."""


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How often and how long the loop tries again. Waits are in seconds.

    ``tries``: calls for one record before it is failed. ``outages`` and ``not_found``: how many calls in a row
    may meet an outage or a 404 before the chunk stops.
    """

    tries: int = 5
    outages: int = 10
    not_found: int = 50
    first_wait: float = 1.0
    longest_wait: float = 60.0
    maintenance_wait: float = 15.0
    longest_retry_after: float = 300.0


@dataclass(slots=True)
class Progress:
    """What the loop has done so far; ``states`` counts records by the state they were put in."""

    total: int
    started: float
    calls: int = 0
    states: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    call_seconds: float = 0.0
    stopped: str | None = None

    @property
    def done(self) -> int:
        """Records that left ``pending`` in this attempt."""
        return sum(self.states.values())


OUTAGES = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.UNREACHABLE, Kind.UNKNOWN, Kind.BUSY})
AGAIN = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.UNREACHABLE, Kind.BUSY})
UNCOUNTED = frozenset({Kind.BUSY, Kind.UNREACHABLE, Kind.MAINTENANCE, Kind.QUOTA, Kind.BAD_TOKEN})
FINAL = {Kind.CODED: "coded", Kind.REJECTED: "rejected", Kind.NOT_FOUND: "rejected", Kind.UNKNOWN: "failed"}


def codify(
    *,
    ledger: ChunkLedger,
    send: Callable[[Record], Answer],
    quota: Quota,
    stop: Event,
    patience: Patience,
    report: Callable[[Progress], None],
    report_every: float = 10.0,
) -> Progress:
    """
    Send the chunk's waiting records one by one and settle each.

    :param report: called with the progress about every ``report_every`` seconds, at the start and at the end
    :param stop: when set, the call in flight is the last one
    :returns: what was done; ``stopped`` is "quota" when the day's calls ended before the chunk did
    :raises BadToken: nothing was rejected, the record that met it is pending
    :raises WrongEndpoint: likewise
    :raises BreakerOpen: after too many outages or 404s in a row; the records of that row are pending again
    :raises Stopped: after ``stop`` was set; the call in flight was settled
    """
    loop = _Loop(ledger, send, quota, stop, patience, report, report_every)
    loop.run()
    return loop.progress


class _Loop:
    """The state between two calls: the answer not yet written, and the row of calls that went wrong."""

    def __init__(
        self,
        ledger: ChunkLedger,
        send: Callable[[Record], Answer],
        quota: Quota,
        stop: Event,
        patience: Patience,
        report: Callable[[Progress], None],
        report_every: float,
    ) -> None:
        self.ledger, self.send, self.quota, self.stop = ledger, send, quota, stop
        self.patience, self.report, self.report_every = patience, report, report_every
        self.queue: deque[Record] = deque()
        self.progress = Progress(total=0, started=time.monotonic())
        self.reported = self.progress.started
        self.unwritten: Settled | None = None
        self.streak_kind: str | None = None
        self.streak: list[int] = []
        self.waits = 0  # in a row, for the record at the head of the queue
        self.tries = 0  # calls that count as an attempt of that record

    def run(self) -> None:
        """Send until the records, the quota or somebody's patience end."""
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
        """Fetch what waits; whether there was anything."""
        self.queue.extend(self.ledger.waiting())
        self.progress.total += len(self.queue)
        self.report(self.progress)
        return bool(self.queue)

    def _may_send(self) -> bool:
        """Whether one more call is allowed."""
        if self.stop.is_set():
            return False
        if self.quota.take():
            return True
        self.progress.stopped = "quota"
        return False

    def _send_one(self, record: Record) -> None:
        """Claim, send and settle one record."""
        if not self._claim(record):
            return
        began = time.monotonic()
        answer = self.send(record)
        now = time.monotonic()
        self.progress.calls += 1
        self.progress.call_seconds += now - began
        self._settle(record, answer)
        if now - self.reported >= self.report_every:
            self.report(self.progress)
            self.reported = now

    def _claim(self, record: Record) -> bool:
        """Write the last answer and mark this record as being sent, in one round trip."""
        unwritten, self.unwritten = self.unwritten, None
        if self.ledger.advance(unwritten, record.id):
            return True
        self.quota.untake()
        self.progress.total -= 1
        self.waits = self.tries = 0
        return False

    def _write(self) -> None:
        """Write the last answer alone."""
        if self.unwritten is not None:
            unwritten, self.unwritten = self.unwritten, None
            self.ledger.advance(unwritten, None)

    def _settle(self, record: Record, answer: Answer) -> None:
        """Decide the record's state; wait and queue it again where the answer asks for that."""
        counts = answer.kind not in UNCOUNTED
        self.tries += counts
        used_up = answer.kind is Kind.OVERLOADED and self.tries >= self.patience.tries
        again = answer.kind in AGAIN and not used_up
        state = FINAL.get(answer.kind, "failed" if used_up else "pending")
        self.unwritten = Settled(record.id, state, answer.reason, answer.code, answer.msg, counts)
        if state == "pending":
            self._write()
            self.queue.appendleft(record)
        else:
            self.progress.states[state] += 1
            self.progress.unknown += answer.kind is Kind.UNKNOWN
        if answer.kind is Kind.UNREACHABLE:
            self.quota.untake()
        self._stop_if_hopeless(answer)
        self._count_streak(record, answer)
        if again or answer.kind is Kind.UNKNOWN:  # whatever cut this call off may cut the next one off too
            self.waits += 1
            self.stop.wait(self._pause(answer))
        if not again:
            self.waits = self.tries = 0

    def _stop_if_hopeless(self, answer: Answer) -> None:
        """Answers that concern every record, not this one."""
        if answer.kind is Kind.BAD_TOKEN:
            raise BadToken(
                f"wolkvox refused the token (code {answer.code}): put a valid one into the password of the"
                " connection, then clear this task. Nothing was rejected, the records stay pending."
            )
        if answer.kind is Kind.WRONG_ENDPOINT:
            raise WrongEndpoint(
                f"The address of the connection isn't a wolkvox API (code {answer.code}): it should look like"
                " https://wv0041.wolkvox.com. Correct the host, then clear this task; the records stay pending."
            )
        if answer.kind is Kind.QUOTA:
            self.quota.exhausted()

    def _count_streak(self, record: Record, answer: Answer) -> None:
        """Open the breaker after too many calls in a row that went wrong in the same way."""
        kind = "outages" if answer.kind in OUTAGES else "not_found" if answer.kind is Kind.NOT_FOUND else None
        if kind != self.streak_kind:
            self.streak_kind, self.streak = kind, []
        if kind is None:
            return
        self.streak.append(record.id)
        limit = self.patience.outages if kind == "outages" else self.patience.not_found
        if len(self.streak) < limit:
            return
        self._write()
        self.ledger.reopen(sorted(set(self.streak)))
        raise BreakerOpen(_explain(kind, len(self.streak), answer))

    def _pause(self, answer: Answer) -> float:
        """Seconds to wait before the next call: what the vendor asks for, else more each time."""
        if answer.retry_after is not None:
            return min(answer.retry_after, self.patience.longest_retry_after)
        first = self.patience.maintenance_wait if answer.kind is Kind.MAINTENANCE else self.patience.first_wait
        return backoff(first, self.patience.longest_wait, self.waits)


def backoff(first: float, longest: float, tries: int) -> float:
    """A wait in seconds, doubled with each try, capped, of which a random half is jitter."""
    whole = min(longest, first * 2.0 ** min(tries - 1, 16))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def _explain(kind: str, count: int, answer: Answer) -> str:
    """What was seen and what to do, for the person who reads the task's log."""
    if kind == "not_found":
        return (
            f"{count} calls in a row were answered 404. Either the campaign no longer holds these customers (check"
            " its id and type in wolkvox Manager), or the API is away. The records of that row are pending again;"
            " the next try sends the others first."
        )
    return (
        f"{count} calls in a row met an outage, the last one {answer.reason} (code {answer.code}). Check whether"
        " wolkvox is up, whether this machine's IP is on the operation's list, and whether somebody else uses the"
        " token. The records stay pending; the next try takes them up."
    )
