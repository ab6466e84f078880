"""What a worker gets (a ledger, the day's requests, an allotment), and what it has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import Campaign, Faults, Record, Settled
from wolkvox.rules.states import State


class WorkerLedger(Protocol):
    """The part of the ledger that the loop needs."""

    def take(self, most: int, kept: Sequence[int]) -> Sequence[Record]:
        """
        Return the newest records that may be sent now, at most so many, in the order to send them.

        :param kept: records that were taken before and will be sent yet
        """

    def is_outdated(self, record: Record) -> bool:
        """Whether a later contact of its customer has come between a record and its next request; it retires then."""

    def trials(self) -> Sequence[Record]:
        """Return the records that try whether an outage is over; none when no trial is due."""

    def another(self, campaigns: Iterable[Campaign]) -> Record | None:
        """Return a record of another campaign than these; None when none waits."""

    def advance(self, settled: Settled | None, following: int | None) -> bool:
        """
        Settle one record and mark the next one as being sent, durably, in one round trip.

        :returns: whether ``following`` may be sent: False when another worker has sent or settled it meanwhile
        """

    def still_in_flight(self, record: int) -> float:
        """Note that an answered request may still be in flight; return the seconds until it can't be."""

    def faults(self) -> Faults:
        """Return what is wrong, whichever task found it."""

    def count(self, fault: Fault) -> Faults:
        """Count a record that was refused or failed, once it is settled, over all tasks; return what is wrong now."""

    def judge(self, fault: Fault) -> Faults:
        """Open the breaker if the records that failed in a row are enough at a run's end; return what is wrong now."""

    def resume(self, campaign: Campaign) -> None:
        """Resume a suspended campaign, of which a record was coded."""

    def now(self) -> datetime:
        """Return the time for all tasks."""

    def answered_since(self, since: datetime) -> bool:
        """Whether wolkvox has answered any task since."""

    def open_breaker(self, reason: str, message: str) -> bool:
        """Open the circuit breaker; whether this task is the first to do so."""

    def revert_attempts(self, requests: Mapping[int, int]) -> None:
        """Take so many requests off the attempts of these records: they met an outage."""

    def close_breaker(self) -> None:
        """Close the circuit breaker: a request went through."""

    def close(self) -> bool:
        """Take no more, unless a record waits; whether none does."""

    def is_held_up(self) -> bool:
        """Whether a dead task's request may still be in flight, after which its record is pending again."""

    def is_last(self) -> bool:
        """Whether no other worker is left to take what comes in."""

    def is_awaited(self) -> bool:
        """Whether another operation waits for this token's slots."""


class Quota(Protocol):
    """The day's requests."""

    def acquire(self) -> bool:
        """Take one of today's requests; False when there is none left."""

    def release(self) -> None:
        """Return one request that was taken and not made."""

    def mark_exhausted(self) -> None:
        """Note that the day's requests are used up, as the vendor says."""


@dataclass(slots=True)
class Progress:
    """
    What a worker has done so far; ``states`` counts records by the state they were put in.

    ``deferred`` of the pending ones failed and wait for a later run. ``stopped`` is what ended the work while records
    wait: "quota", "time" or "outage".
    """

    started: float
    requests: int = 0
    states: Counter[str] = field(default_factory=Counter)
    deferred: int = 0
    unknown: int = 0
    request_seconds: float = 0.0
    stopped: str | None = None

    def note(self, settled: Settled, answer: Answer) -> None:
        """Count a record that was answered and settled."""
        if settled.state is not State.PENDING:
            self.states[settled.state] += 1
        elif settled.is_deferred:
            self.deferred += 1
        self.unknown += answer.kind is Kind.UNKNOWN

    @property
    def done(self) -> int:
        """How many records need nothing more of this worker."""
        return sum(self.states.values()) + self.deferred

    @property
    def seconds_per_request(self) -> float:
        """The average time of a request; 0 before the first one."""
        return self.request_seconds / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Allotment:
    """
    What one worker may do: take so many ``records`` and send for so many ``seconds``.

    ``linger`` seconds with nothing to send it waits for more, if no other worker does.
    """

    records: int
    seconds: float
    linger: float = 0.0
