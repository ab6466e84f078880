"""What one worker met since wolkvox last answered it, and which records were blocked on their way. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import REVERTED
from wolkvox.rules.records import Record


@dataclass(slots=True)
class Failures:
    """
    Requests that failed in a row.

    ``requests``: all of them but conflicts; ``last``: the latest of these, as a record with its answer. ``unread``:
    those that no record is to blame for, the first of which was made at ``since``, by the ledger's clock.
    ``reverted``: records, and their requests that count for nothing if it is an outage.
    """

    requests: int = 0
    unread: int = 0
    since: datetime | None = None
    last: tuple[Record, Answer] | None = None
    reverted: Counter[int] = field(default_factory=Counter)

    def add(self, record: Record, answer: Answer) -> None:
        """Another request failed."""
        self.reverted[record.id] += answer.kind in REVERTED
        if answer.kind is not Kind.CONFLICT:
            self.requests += 1
            self.last = record, answer


@dataclass(slots=True)
class Blocked:
    """Records that something on the way has blocked, and whether others pass meanwhile."""

    records: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)  # those of them since whose first time another one was answered
    answered: bool = False  # whether wolkvox has said anything of any record

    def add(self, record: Record) -> None:
        """A record was blocked."""
        self.records.add(record.id)

    def note_answer(self) -> None:
        """Wolkvox has said something of a record: whatever is blocked, others pass."""
        self.answered = True
        self.passed |= self.records

    def is_alone(self, record: Record) -> bool:
        """Whether others pass where it is blocked."""
        return record.id in self.passed or (record.deferred and self.answered)
