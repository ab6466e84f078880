"""Keeps a digest of each day's contacts, each chained to the day before, and verifies the chain."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from wolkvox.errors import Unaccounted
from wolkvox.ledger.connection import Connection, now_of, sql
from wolkvox.rules.ages import DAY, DIGEST_AFTER
from wolkvox.rules.digests import (
    DailyDigest,
    DigestedRow,
    begin,
    contents_of,
    first_undigested_day,
    is_signed,
    signed,
)

BATCH = 10_000  # contacts read at once
LATE = timedelta(days=3)  # that retention may miss before days without a digest are a finding

_SELECT = (
    "SELECT day, records, contents, deleted_before, previous, digest FROM wolkvox.daily_digest WHERE operation = %s"
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Verified:
    """
    The result of ``verify`` for one operation.

    ``compared``: days compared with their contacts. ``deleted``: days whose contacts retention may have deleted.
    ``early``: days digested by a clock that was ahead. ``findings``: what doesn't agree, a sentence each.
    """

    digests: list[DailyDigest]
    compared: int = 0
    deleted: int = 0
    early: int = 0
    findings: list[str] = field(default_factory=list)


def operations(connection: Connection) -> list[str]:
    """Every operation that has settled contacts, or had."""
    return [operation for (operation,) in connection.execute(sql("operations"))]


def digest(connection: Connection, operation: str, secret: str, keep: timedelta) -> tuple[int, DailyDigest | None]:
    """
    Digest the days that are old enough and not digested yet; how many, and the last digest.

    :param keep: age from which retention deletes: each digest says first up to when it may
    :raises Unaccounted: when the last digest was changed
    """
    now, count = now_of(connection), 0
    _withdraw_early(connection, operation, secret, first_undigested_day(now))
    last = _last(connection, operation)
    if last is not None and not is_signed(secret, operation, last):
        raise Unaccounted(
            f"Operation {operation}: the digest of {last.day} was changed. Run `python -m wolkvox verify`."
        )
    day = last.day + DAY if last else _first_day(connection, operation)
    while day is not None and day < first_undigested_day(now):
        deleted_before = min(now - keep, begin(day + DAY))
        if last is not None:
            deleted_before = max(deleted_before, last.deleted_before)
        contents = _contents(connection, operation, secret, day)
        last = signed(secret, operation, day, *contents, deleted_before, last.digest if last else None)
        _insert(connection, operation, last)
        day, count = day + DAY, count + 1
    return count, last


def verify_digests(connection: Connection, operation: str, secret: str) -> Verified:
    """Compare an operation's contacts with its digests, and verify the chain of digests."""
    kept, now = digests(connection, operation), now_of(connection)
    result = Verified(kept)
    if not kept:
        result.findings += _undigested(_first_day(connection, operation), now)
        return result
    result.findings += _chain(secret, operation, kept)
    result.findings += _before(connection, operation, kept[0].day)
    result.findings += _undigested(kept[-1].day + DAY, now)
    for one in kept:
        if one.day >= first_undigested_day(now):
            result.early += 1
        elif begin(one.day) < kept[-1].deleted_before:
            result.deleted += 1
        else:
            _compare(connection, operation, secret, one, result)
    return result


def digests(connection: Connection, operation: str) -> list[DailyDigest]:
    """All digests of an operation, the oldest first."""
    rows = connection.execute(f"{_SELECT} ORDER BY day", (operation,))
    return [DailyDigest(*row) for row in rows]


def _compare(connection: Connection, operation: str, secret: str, kept: DailyDigest, result: Verified) -> None:
    """Compare the contacts of a day with its digest, and add to the result."""
    records, digest = _contents(connection, operation, secret, kept.day)
    if digest == kept.contents:
        result.compared += 1
        return
    last = _last(connection, operation)
    if last is not None and begin(kept.day) < last.deleted_before:  # retention came by meanwhile
        result.deleted += 1
        return
    result.compared += 1
    same = ", and not the same" if records == kept.records else ""
    result.findings.append(f"{kept.day}: {kept.records} contacts were digested, {records} are there now{same}.")


def _chain(secret: str, operation: str, kept: list[DailyDigest]) -> Iterator[str]:
    """The findings in the chain of digests."""
    before: DailyDigest | None = None
    for one in kept:
        if not is_signed(secret, operation, one):
            yield f"{one.day}: its digest was changed."
        if before is None and one.previous is not None:
            yield f"{one.day}: it is not the first day that was digested: the digests before it are gone."
        elif before and one.day != before.day + DAY:
            yield f"{one.day}: the days before it, from {before.day + DAY} on, have no digest."
        elif before and one.previous != before.digest:
            yield f"{one.day}: its digest doesn't follow from the one of the day before."
        before = one


def _before(connection: Connection, operation: str, day: date) -> Iterator[str]:
    """A finding if contacts are older than the first digested day."""
    first = _first_day(connection, operation)
    if first is not None and first < day:
        yield f"{first}: there are contacts of before the first day that was digested."


def _undigested(day: date | None, now: datetime) -> Iterator[str]:
    """A finding if a day should have a digest by now."""
    if day is not None and day < first_undigested_day(now - LATE):
        yield (
            f"{day}: this day and those after it have no digest. Their digests were removed, or retention does not run."
        )


def _withdraw_early(connection: Connection, operation: str, secret: str, day: date) -> None:
    """
    Delete the digests of days that are not over yet: a clock that was ahead made them.

    What retention deleted by that clock is gone: the last digest before them is signed again and says so.
    """
    with connection.transaction():
        rows = connection.execute(f"{_SELECT} AND day >= %s", (operation, day)).fetchall()
        early = [one for one in (DailyDigest(*row) for row in rows) if is_signed(secret, operation, one)]
        connection.execute("DELETE FROM wolkvox.daily_digest WHERE operation = %s AND day >= %s", (operation, day))
        last = _last(connection, operation)
        if last is None or not early or not is_signed(secret, operation, last):
            return
        deleted_before = max(one.deleted_before for one in early)
        again = signed(secret, operation, last.day, last.records, last.contents, deleted_before, last.previous)
        connection.execute("DELETE FROM wolkvox.daily_digest WHERE operation = %s AND day = %s", (operation, last.day))
        _insert(connection, operation, again)
    log.warning("Operation %s: %d digests of days that are not over were deleted.", operation, len(early))


def _insert(connection: Connection, operation: str, made: DailyDigest) -> None:
    connection.execute(
        "INSERT INTO wolkvox.daily_digest (operation, day, records, contents, deleted_before, previous, digest)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (operation, made.day, made.records, made.contents, made.deleted_before, made.previous, made.digest),
    )


def _last(connection: Connection, operation: str) -> DailyDigest | None:
    row = connection.execute(f"{_SELECT} ORDER BY day DESC LIMIT 1", (operation,)).fetchone()
    return None if row is None else DailyDigest(*row)


def _first_day(connection: Connection, operation: str) -> date | None:
    row = connection.execute(
        "SELECT min(settled_at) FROM wolkvox.codification WHERE operation = %s", (operation,)
    ).fetchone()
    return row[0].astimezone(timezone.utc).date() if row and row[0] else None


def _contents(connection: Connection, operation: str, secret: str, day: date) -> tuple[int, bytes]:
    """The number of a day's contacts, and their digest."""
    values = {
        "operation": operation,
        "begins": begin(day),
        "ends": begin(day + DAY),
        "noted_before": begin(day) + DIGEST_AFTER,
    }
    with connection.transaction(), connection.cursor("to_digest") as cursor:
        cursor.itersize = BATCH
        rows = cursor.execute(sql("to_digest"), values)
        return contents_of(secret, operation, (DigestedRow._make((*row[:8], row[8:])) for row in rows))
