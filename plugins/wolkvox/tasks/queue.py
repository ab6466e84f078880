"""The records that a worker has taken and not sent yet, and those that it tries again in this run."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from wolkvox.rules.records import Campaign, Record
from wolkvox.tasks.worker import WorkerLedger


class Queue:
    """
    What a worker sends next: records as they were taken, the newest first, and between them what is tried again.

    ``left``: records that it may still send for the first time. ``tries``: requests made for each record in this run.
    """

    def __init__(self, ledger: WorkerLedger, left: int) -> None:
        self.left = left
        self.tries: Counter[int] = Counter()
        self._ledger = ledger
        self._taken: deque[Record] = deque()
        self._again: list[tuple[float, int, Record]] = []  # when, and which: a heap
        self._checks: set[int] = set()  # records that are sent to see whether others fail too
        self._latest: int | None = None  # the record that was sent last: another one is sent before it is tried again

    def is_empty(self) -> bool:
        """Whether nothing is left that was taken."""
        return not self._taken and not self._again

    def has_taken(self) -> bool:
        """Whether there is a record to send for the first time."""
        return bool(self._taken)

    def next_try(self) -> float | None:
        """Return when the next record is to be tried again, by the monotonic clock; None: there is none."""
        return self._again[0][0] if self._again else None

    def due(self, now: float) -> Record | None:
        """Return a record whose time to be tried again has come, unless it was sent last; None: there is none."""
        if self._again and self._again[0][0] <= now and self._again[0][1] != self._latest:
            return heapq.heappop(self._again)[2]
        return None

    def taken(self) -> Record | None:
        """Return the next of the records that were taken, or None."""
        return self._taken.popleft() if self._taken else None

    def any_due(self, now: float) -> Record | None:
        """Return a record whose time to be tried again has come, also if it was sent last; None: there is none."""
        return heapq.heappop(self._again)[2] if self._again and self._again[0][0] <= now else None

    def take(self, most: int) -> None:
        """Take so many of the newest records from the ledger, at most as many as are left."""
        most = min(most, self.left)
        if most > 0:
            self._add(self._ledger.take(most, [record.id for *_, record in self._again]))

    def take_trials(self) -> None:
        """Take the records that try whether an outage is over."""
        self._add(self._ledger.trials()[: max(0, self.left)])

    def send_first(self, record: Record) -> None:
        """Send a record next, before all others."""
        self._taken.appendleft(record)

    def try_again(self, record: Record, at: float) -> None:
        """Try a record again, not before a time of the monotonic clock."""
        heapq.heappush(self._again, (at, record.id, record))

    def note_sent(self, record: Record) -> None:
        """Note that a record is being sent."""
        self.left -= record.id not in self.tries
        self._latest = record.id

    def forget_taken(self) -> None:
        """Send none of the records that were taken."""
        self._taken.clear()

    def forget(self) -> None:
        """Send nothing that is here: it stays pending."""
        self._taken.clear()
        self._again.clear()

    def is_check(self, record: Record) -> bool:
        """Whether a record is sent to see whether others fail too."""
        return record.id in self._checks

    def next_is_check(self) -> bool:
        """Whether the next record is sent to see whether others fail too."""
        return bool(self._taken) and self.is_check(self._taken[0])

    def check(self, campaigns: Iterable[Campaign]) -> bool:
        """Send a record of another campaign next, to see whether it fails too; whether there is one."""
        other = self._ledger.another(campaigns) if self.left > 0 else None
        if other is None:
            return False
        self._checks.add(other.id)
        self._taken = deque(record for record in self._taken if record.id != other.id)
        self._again = [waiting for waiting in self._again if waiting[1] != other.id]
        heapq.heapify(self._again)
        self.send_first(self._recounted(other))
        while sum(record.id not in self.tries for record in self._taken) > self.left:
            self._taken.pop()  # the oldest one gives way: no worker sends more than its allotment
        return True

    def _add(self, records: Sequence[Record]) -> None:
        self._taken.extend(map(self._recounted, records))

    def _recounted(self, record: Record) -> Record:
        """Return a record from the ledger without its requests of this run, which ``tries`` counts."""
        return record._replace(requests=max(0, record.requests - self.tries[record.id]))
