"""
Keeps the requests of a day within the account's limit.

The day's requests are counted per token, in the operation's time zone, by the ledger's clock. A task reserves them
in small blocks before it sends and releases what it didn't use, so that tasks side by side can't exceed the limit
together; what a killed task had reserved stays counted. Each block has a name: reserving or releasing it once more,
when an answer was lost, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from time import monotonic
from typing import Protocol, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from wolkvox.ledger.connection import Connection, now_of, sql
from wolkvox.rules.chunks import SLOTS

BLOCK = 20  # requests reserved at once: what a killed task may waste of the day

# How long the vendor's answer that no requests are left counts: its hour of reset isn't documented, and licences may be
# bought at any hour.
BELIEF = timedelta(hours=1)

Result = TypeVar("Result")


class RunOnLedger(Protocol):
    """Runs a function on a ledger connection, again on a new one if the connection is lost."""

    def __call__(self, work: Callable[[Connection], Result]) -> Result:
        """Run it; returns what it returned."""


@dataclass(frozen=True, slots=True)
class QuotaRules:
    """
    An account's limit: ``account`` as ``account_of`` returns it; ``daily_requests`` before the reserve is subtracted,
    None when no licences are given; ``zone``: the time zone in which a day ends.
    """

    account: str
    daily_requests: int | None
    reserve: int
    zone: str

    def today(self, now: datetime) -> date:
        """The date in the account's zone."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def resets_at(self, now: datetime) -> datetime:
        """When the next day begins, in UTC."""
        tomorrow = datetime.combine(self.today(now) + timedelta(days=1), datetime.min.time(), ZoneInfo(self.zone))
        return tomorrow.astimezone(timezone.utc)

    @property
    def own_limit(self) -> int | None:
        """Requests a day that the connection's settings allow; None: no limit."""
        return None if self.daily_requests is None else max(0, self.daily_requests - self.reserve)


@dataclass(frozen=True, slots=True)
class QuotaState:
    """
    Today's requests: ``limit`` and ``left`` are None when no limit is known.

    ``doubtful``: none are left by an old figure of the vendor alone.
    """

    limit: int | None
    requests: int
    left: int | None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Requests of a day reserved for a task; the day had ``seconds`` left at that time."""

    name: UUID
    day: date
    seconds: float
    requests: int


def account_of(connection: Connection, fingerprint: int, server: str) -> str:
    """
    The account of a token: the name of the operation that used the token first.

    Operations that share a token share its account; an operation keeps its account when its token is renewed.
    """
    row = connection.execute("SELECT account FROM wolkvox.token WHERE fingerprint = %s", (fingerprint,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO wolkvox.token AS token (fingerprint, account) VALUES (%s, %s)"
            " ON CONFLICT (fingerprint) DO UPDATE SET account = token.account RETURNING account",
            (fingerprint, server),
        ).fetchone()
    assert row is not None
    return str(row[0])


def align(connection: Connection, rules: QuotaRules, vendor_left: int | None = None) -> QuotaState:
    """
    Set today's limit to the smaller of the settings' and the vendor's figures; returns today's requests.

    :param vendor_left: requests left today by the vendor's figure; None when it wasn't asked
    """
    row = connection.execute(
        sql("align_quota"),
        {
            "account": rules.account,
            "day": rules.today(now_of(connection)),
            "own_limit": rules.own_limit,
            "vendor_left": None if vendor_left is None else max(0, vendor_left - rules.reserve),
            "reserved": SLOTS * BLOCK,
            "belief": BELIEF,
        },
    ).fetchone()
    assert row is not None
    limit, requests, exhausted, old = row
    left = 0 if exhausted else None if limit is None else max(0, limit - requests)
    by_vendor = rules.own_limit is None or requests < rules.own_limit
    return QuotaState(limit, requests, left, left == 0 and not exhausted and old and by_vendor)


def reserve(
    connection: Connection,
    rules: QuotaRules,
    want: int,
    *,
    name: UUID,
    over_limit: int = 0,
    used_up: Block | None = None,
) -> Block:
    """
    Reserve up to ``want`` of today's requests in one statement, under a new name.

    :param over_limit: requests that may be made over the limit, to ask whether it is still the limit
    :param used_up: a block of the same day, all of whose requests were made: it is deleted
    """
    if used_up is None:
        now = now_of(connection)
        day, seconds = rules.today(now), (rules.resets_at(now) - now).total_seconds()
    else:
        day, seconds = used_up.day, used_up.seconds
    params = {
        "account": rules.account,
        "day": day,
        "want": want,
        "belief": BELIEF,
        "name": name,
        "over_limit": over_limit,
        "used_up": used_up and used_up.name,
    }
    row = connection.execute(sql("reserve_requests"), params).fetchone()
    if row is None:
        align(connection, rules)
        row = connection.execute(sql("reserve_requests"), params).fetchone()
    return Block(name, day, seconds, int(row[0]) if row else 0)


def release_block(connection: Connection, rules: QuotaRules, block: Block, requests: int) -> None:
    """Release the requests of a block that were not made, and delete the block."""
    params = {"account": rules.account, "day": block.day, "name": block.name, "requests": requests}
    connection.execute(sql("release_requests"), params)


def mark_exhausted(connection: Connection, rules: QuotaRules) -> None:
    """Note the vendor's answer that the day's requests are used up."""
    connection.execute(
        "UPDATE wolkvox.quota SET exhausted_at = clock_timestamp() WHERE account = %s AND day = %s",
        (rules.account, rules.today(now_of(connection))),
    )


class BlockQuota:
    """
    The requests of one task, acquired one by one from blocks reserved in the ledger.

    :param records: requests that the task expects to need: no block is larger than what is missing
    """

    def __init__(self, run: RunOnLedger, rules: QuotaRules, records: int) -> None:
        self._run, self._rules, self._missing = run, rules, records
        self._block: Block | None = None
        self._left = 0  # requests of the block
        self._over = 0.0  # when its day is over, by this machine's monotonic clock

    def acquire(self) -> bool:
        """Spend one request; False when the day has none left."""
        if self._block is not None and monotonic() >= self._over:
            self.close()
        if self._left == 0:
            self._reserve(max(1, min(BLOCK, self._missing)))
        if self._left == 0:
            self.close()
            return False
        self._left -= 1
        self._missing -= 1
        return True

    def release(self) -> None:
        """Release one request that was acquired and not made."""
        self._left += 1
        self._missing += 1

    def mark_exhausted(self) -> None:
        """Acquire no more requests today: the vendor answers that none are left."""
        self._run(lambda connection: mark_exhausted(connection, self._rules))
        self.close()

    def close(self) -> None:
        """Release what is left of the block."""
        block, self._block = self._block, None
        unused, self._left = self._left, 0
        if block is not None:
            self._run(lambda connection: release_block(connection, self._rules, block, unused))

    def _reserve(self, want: int) -> None:
        name, used_up = uuid4(), self._block
        block = self._run(lambda connection: reserve(connection, self._rules, want, name=name, used_up=used_up))
        if used_up is None:
            self._over = monotonic() + block.seconds
        self._block, self._left = block, block.requests
