"""
Never more calls a day than the operation may make.

The day's calls are counted per operation, in the operation's time zone. A task reserves them in small blocks
before it sends and gives back what it didn't use, so that tasks side by side can't overshoot together; what a
killed task had reserved stays counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.chunks import SLOTS

BLOCK = 20  # calls reserved at once: what a killed task may waste of the day

# How long the vendor's "limit exceeded" is believed: its hour of reset isn't documented.
EXHAUSTION = timedelta(hours=1)

Result = TypeVar("Result")


class Run(Protocol):
    """Runs a function on a ledger connection, surviving the connection's loss."""

    def __call__(self, work: Callable[[Connection], Result]) -> Result:
        """What the function returned."""


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """``daily_calls`` before the reserve, None when no licences are known; ``zone`` decides when a day ends."""

    operation: str
    daily_calls: int | None
    reserve: int
    zone: str

    def today(self) -> date:
        """The operation's date."""
        return datetime.now(ZoneInfo(self.zone)).date()

    def resets_at(self) -> datetime:
        """When the next day begins, in UTC."""
        tomorrow = datetime.combine(self.today() + timedelta(days=1), datetime.min.time(), ZoneInfo(self.zone))
        return tomorrow.astimezone(timezone.utc)

    @property
    def own_limit(self) -> int | None:
        """Calls a day that the connection's settings allow."""
        return None if self.daily_calls is None else max(0, self.daily_calls - self.reserve)


@dataclass(frozen=True, slots=True)
class QuotaState:
    """Today's calls: ``limit`` and ``left`` are None when no limit is known."""

    limit: int | None
    calls: int
    left: int | None


def align(connection: Connection, rules: QuotaRules, vendor_left: int | None = None) -> QuotaState:
    """
    Set today's limit to the smaller of the settings' and the vendor's figures, and tell what is left.

    :param vendor_left: calls the vendor says are left today; None when it wasn't asked
    """
    row = connection.execute(
        sql("align_quota"),
        {
            "operation": rules.operation,
            "day": rules.today(),
            "own_limit": rules.own_limit,
            "vendor_left": None if vendor_left is None else max(0, vendor_left - rules.reserve),
            "reserved": SLOTS * BLOCK,
            "exhaustion": EXHAUSTION,
        },
    ).fetchone()
    assert row is not None
    limit, calls, exhausted = row
    left = 0 if exhausted else None if limit is None else max(0, limit - calls)
    return QuotaState(limit, calls, left)


def reserve(connection: Connection, rules: QuotaRules, day: date, want: int) -> int:
    """Reserve up to ``want`` calls of a day in one statement; returns how many were granted."""
    facts = {"operation": rules.operation, "day": day, "want": want, "exhaustion": EXHAUSTION}
    row = connection.execute(sql("reserve_calls"), facts).fetchone()
    if row is None:
        align(connection, rules)
        row = connection.execute(sql("reserve_calls"), facts).fetchone()
    return int(row[0]) if row else 0


def give_back(connection: Connection, rules: QuotaRules, day: date, calls: int) -> None:
    """Return reserved calls that were not made."""
    connection.execute(
        "UPDATE wolkvox.quota SET calls = calls - %s WHERE operation = %s AND day = %s",
        (calls, rules.operation, day),
    )


def exhaust(connection: Connection, rules: QuotaRules) -> None:
    """Note that the vendor says the day's calls are used up."""
    connection.execute(
        "UPDATE wolkvox.quota SET exhausted_at = now() WHERE operation = %s AND day = %s",
        (rules.operation, rules.today()),
    )


class BlockQuota:
    """
    The calls one task may make: taken one by one from blocks reserved in the ledger.

    :param records: how many calls the task expects to need: no block is larger than what is missing
    """

    def __init__(self, run: Run, rules: QuotaRules, records: int) -> None:
        self._run, self._rules, self._missing = run, rules, records
        self._day = rules.today()
        self._reserved = 0

    def take(self) -> bool:
        """Spend one call; False when the day has none left."""
        today = self._rules.today()
        if today != self._day:
            self.close()
            self._day = today
        if self._reserved == 0:
            want = max(1, min(BLOCK, self._missing))
            self._reserved = self._run(lambda connection: reserve(connection, self._rules, today, want))
        if self._reserved == 0:
            return False
        self._reserved -= 1
        self._missing -= 1
        return True

    def untake(self) -> None:
        """Give back one call that was taken and not made."""
        self._reserved += 1
        self._missing += 1

    def exhausted(self) -> None:
        """Stop taking calls today: the vendor says that there are none."""
        self._run(lambda connection: exhaust(connection, self._rules))
        self.close()

    def close(self) -> None:
        """Give back what is left of the block."""
        unused, self._reserved = self._reserved, 0
        if unused:
            self._run(lambda connection: give_back(connection, self._rules, self._day, unused))
