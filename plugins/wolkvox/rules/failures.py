"""The failures of one worker since wolkvox last read a record, and the records that were blocked on the way. Pure."""

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

    ``requests``: how many, without conflicts; ``last``: the latest of these, as a record with its answer. ``unread``:
    those whose record wolkvox didn't read, the first of them at ``since``, by the ledger's clock. ``reverted``: by
    record, the requests that are no attempts of it if this is an outage.
    """

    requests: int = 0
    unread: int = 0
    since: datetime | None = None
    last: tuple[Record, Answer] | None = None
    reverted: Counter[int] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Whether any request failed, but for conflicts."""
        return self.requests > 0

    def add(self, record: Record, answer: Answer) -> None:
        """Count another request that failed."""
        if answer.kind in REVERTED:
            self.reverted[record.id] += 1
        if answer.kind is not Kind.CONFLICT:
            self.requests += 1
            self.last = record, answer


@dataclass(slots=True)
class Blocked:
    """
    Records that something on the way has blocked, and whether others pass meanwhile.

    ``passed``: those of them since whose first time wolkvox read another one. ``answered``: it read any.
    """

    records: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)
    answered: bool = False

    def add(self, record: Record) -> None:
        """Note that a record was blocked."""
        self.records.add(record.id)

    def note_answer(self) -> None:
        """Note that wolkvox read a record: others pass where some are blocked."""
        self.answered = True
        self.passed |= self.records

    def is_alone(self, record: Record) -> bool:
        """Whether others pass where it is blocked."""
        return record.id in self.passed or (record.deferred and self.answered)
