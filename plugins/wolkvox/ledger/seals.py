"""Each day's contacts in a digest that follows from the day before, and whether they are all still there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from wolkvox.ledger.connection import Connection, clock, sql
from wolkvox.rules.seals import SEALED_AFTER, digest

DAY = timedelta(days=1)
BATCH = 10_000  # contacts read at once
# A contact that was settled on a day came in at most so long before it: it waits for a month, and once more if resent.
OLDEST = timedelta(days=63)


@dataclass(frozen=True, slots=True)
class Seal:
    """A day's digest; ``previous`` is None for the first one."""

    day: date
    records: int
    digest: bytes
    previous: bytes | None


def operations(connection: Connection) -> list[str]:
    """Every operation that has contacts, or had."""
    rows = connection.execute("SELECT operation FROM wolkvox.dag UNION SELECT operation FROM wolkvox.seal ORDER BY 1")
    return [operation for (operation,) in rows]


def seal(connection: Connection, operation: str, secret: str) -> tuple[int, Seal | None]:
    """Seal the days that are old enough and not sealed yet; how many, and the last seal there is."""
    last, count = _last(connection, operation), 0
    previous = None if last is None else last.digest
    day = last.day + DAY if last else _first_day(connection, operation)
    end = (clock(connection) - SEALED_AFTER).astimezone(timezone.utc).date()
    while day is not None and day < end:
        with connection.transaction():
            last = _seal(connection, operation, secret, day, previous)
            connection.execute(
                "INSERT INTO wolkvox.seal (operation, day, records, digest, previous) VALUES (%s, %s, %s, %s, %s)",
                (operation, last.day, last.records, last.digest, last.previous),
            )
        day, count, previous = day + DAY, count + 1, last.digest
    return count, last


def broken(connection: Connection, operation: str, secret: str) -> Iterator[str]:
    """What doesn't agree with the seals of an operation, a sentence each; nothing: all is as it was."""
    row = connection.execute("SELECT deleted_before FROM wolkvox.retention").fetchone()
    deleted_before = row[0] if row else None
    before: Seal | None = None
    for known in seals(connection, operation):
        if before and known.day != before.day + DAY:
            yield f"{known.day}: the days before it, from {before.day + DAY} on, have no seal."
        elif before and known.previous != before.digest:
            yield f"{known.day}: its seal doesn't follow from the one of the day before."
        before = known
        if deleted_before is not None and _begin(known.day) - OLDEST < deleted_before:
            continue  # retention has been there
        now = _seal(connection, operation, secret, known.day, known.previous)
        if now.digest != known.digest:
            yield (
                f"{known.day}: {known.records} contacts were sealed, {now.records} are there now"
                f"{', and not the same' if now.records == known.records else ''}."
            )


def seals(connection: Connection, operation: str) -> list[Seal]:
    """All seals of an operation, the oldest first."""
    rows = connection.execute(
        "SELECT day, records, digest, previous FROM wolkvox.seal WHERE operation = %s ORDER BY day", (operation,)
    )
    return [Seal(*row) for row in rows]


def _last(connection: Connection, operation: str) -> Seal | None:
    row = connection.execute(
        "SELECT day, records, digest, previous FROM wolkvox.seal WHERE operation = %s ORDER BY day DESC LIMIT 1",
        (operation,),
    ).fetchone()
    return None if row is None else Seal(*row)


def _first_day(connection: Connection, operation: str) -> date | None:
    row = connection.execute(
        "SELECT min(settled_at) FROM wolkvox.codification WHERE operation = %s", (operation,)
    ).fetchone()
    return row[0].astimezone(timezone.utc).date() if row and row[0] else None


def _seal(connection: Connection, operation: str, secret: str, day: date, previous: bytes | None) -> Seal:
    """What a day's seal is by the contacts that are there now."""
    with connection.transaction(), connection.cursor("to_seal") as cursor:
        cursor.itersize = BATCH
        contacts = cursor.execute(sql("to_seal"), {"operation": operation, "day": day})
        made, records = digest(secret, operation, previous, contacts)
    return Seal(day, records, made, previous)


def _begin(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), timezone.utc)
