"""Makes the customers of old contacts anonymous. A locked contact delays no other one and is tried again each night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg

from wolkvox.ledger.connection import Connection, now_of, sql
from wolkvox.ledger.digests import operations
from wolkvox.ledger.retention import BATCH, EARLIEST
from wolkvox.rules.anonymity import anonymous, anonymous_key, impersonal, is_anonymous

SPAN = timedelta(days=7)  # read at once: some hundred megabytes for millions of contacts; a usual night is one span


class Anonymised(NamedTuple):
    """How many contacts became anonymous, and how many were due but locked by another session."""

    done: int
    locked: int


def anonymise(connection: Connection, secret: str, after: timedelta) -> Anonymised:
    """
    Make the customers of contacts anonymous that were settled ``after`` ago, and empty their other personal columns.

    With a customer's id and the secret, the contacts can still be found.
    """
    before, done, locked = now_of(connection) - after, 0, 0
    for operation in operations(connection):
        progress, stuck = _progress(connection, operation, before), 0
        while (until := _next_span(connection, progress, before)) is not None:
            made, stuck = _span(connection, secret, progress, until, before)
            done += made
        locked += stuck
    return Anonymised(done, locked)


@dataclass(slots=True)
class _Progress:
    """Contacts of an operation settled before ``since`` are anonymous, except those ``left_over``."""

    operation: str
    since: datetime
    left_over: list[int]
    is_new: bool = True  # in this night


class _Anonymous(NamedTuple):
    """The new values of a settled contact; ``texts``: those of its other columns, where they change."""

    id: int
    customer_id: str | None
    contact_key: UUID
    texts: tuple[str | None, ...] | None


def _progress(connection: Connection, operation: str, before: datetime) -> _Progress:
    """The progress of earlier nights, up to this one: a clock that was ahead may have noted more."""
    row = connection.execute(
        "SELECT since, left_over FROM wolkvox.anonymised WHERE operation = %s", (operation,)
    ).fetchone()
    return _Progress(operation, min(row[0], before), row[1]) if row else _Progress(operation, EARLIEST, [])


def _next_span(connection: Connection, progress: _Progress, before: datetime) -> datetime | None:
    """The end of the next span; None after the last one."""
    row = connection.execute(
        "SELECT min(settled_at) FROM wolkvox.codification"
        " WHERE operation = %s AND settled_at >= %s AND settled_at < %s",
        (progress.operation, progress.since, before),
    ).fetchone()
    first: datetime | None = row[0] if row else None
    if first is not None:
        return min(first + SPAN, before)
    return before if progress.is_new else None


def _span(
    connection: Connection, secret: str, progress: _Progress, until: datetime, before: datetime
) -> tuple[int, int]:
    """Make the contacts of a span anonymous, and those left over before; how many, and how many are locked."""
    values = {
        "operation": progress.operation,
        "since": progress.since,
        "until": until,
        "before": before,
        "left_over": progress.left_over,
    }
    left_over, done, locked = [], 0, 0
    # The cursor outlives its transaction, as each batch is a transaction: no row is read twice.
    with connection.cursor("to_anonymise", withhold=True) as cursor:
        cursor.execute(sql("to_anonymise"), values)
        while rows := cursor.fetchmany(BATCH):
            left_over += [row[1] for row in rows if not row[0]]
            due = [made for row in rows if row[0] and (made := _anonymous(secret, progress.operation, row[1:]))]
            stuck = _write(connection, due)
            left_over += stuck
            done, locked = done + len(due) - len(stuck), locked + len(stuck)
    progress.since, progress.left_over, progress.is_new = until, left_over, False
    connection.execute(
        "INSERT INTO wolkvox.anonymised (operation, since, left_over) VALUES (%s, %s, %s)"
        " ON CONFLICT (operation) DO UPDATE SET since = excluded.since, left_over = excluded.left_over",
        (progress.operation, until, left_over),
    )
    return done, locked


def _anonymous(secret: str, operation: str, row: Sequence[Any]) -> _Anonymous | None:
    """The new values of a row's contact; None where nothing changes."""
    number, customer, key, has_texts, state, *texts = row
    made = impersonal(state, texts)
    odd = None if made == tuple(texts) else made
    if customer is None or is_anonymous(customer):
        if odd is None and not has_texts:
            return None
        return _Anonymous(number, customer, key if customer else anonymous_key(secret, key), odd)
    return _Anonymous(number, anonymous(secret, operation, customer), anonymous_key(secret, key), odd)


def _write(connection: Connection, contacts: Sequence[_Anonymous]) -> list[int]:
    """Write the new values; returns the ids of the contacts that another session holds locked."""
    try:
        _update(connection, contacts)
        return []
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation):
        ids, keys = [one.id for one in contacts], [one.contact_key for one in contacts]
    with connection.transaction():
        free = {
            record
            for (record,) in connection.execute(
                "SELECT id FROM wolkvox.codification WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", (ids,)
            )
        }
        # The same contact, pulled again while the secret was not given: it needs another key.
        taken = {
            key
            for (key,) in connection.execute(
                "SELECT contact_key FROM wolkvox.codification WHERE contact_key = ANY(%s) AND id <> ALL(%s)",
                (keys, ids),
            )
        }
        rest = [one for one in contacts if one.id in free]
        _update(connection, [one._replace(contact_key=uuid4()) if one.contact_key in taken else one for one in rest])
    return [one.id for one in contacts if one.id not in free]


def _update(connection: Connection, contacts: Sequence[_Anonymous]) -> None:
    """Write the new values, and empty wolkvox's messages to earlier requests."""
    ids = [one.id for one in contacts]
    values = {"ids": ids, "customers": [one.customer_id for one in contacts], "keys": [one[2] for one in contacts]}
    odd = [(one.id, *one.texts) for one in contacts if one.texts]
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '5s'")
        connection.execute(sql("anonymise"), values)
        if odd:
            names = ("ids", "types", "campaigns", "codes", "second_codes", "channels")
            connection.execute(sql("empty_odd"), dict(zip(names, map(list, zip(*odd, strict=True)), strict=True)))
        connection.execute(
            "UPDATE wolkvox.answer SET response_msg = NULL"
            " WHERE codification_id = ANY(%s) AND response_msg IS NOT NULL",
            (ids,),
        )
