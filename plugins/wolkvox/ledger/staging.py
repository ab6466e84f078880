"""Loads contacts of the warehouse into the ledger."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import psycopg

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.ages import DIGEST_AFTER
from wolkvox.rules.anonymity import anonymous_key
from wolkvox.rules.contacts import Contact
from wolkvox.rules.runs import Chunk, Run

BATCH = 20_000  # contacts written at once: two such batches are what staging keeps in memory
LOG_EVERY = 5 * BATCH  # rows: a few seconds' work

# Binary takes a third of the processor time of text; a key's 16 bytes are a uuid in that format.
_COPY = """
    COPY incoming (
        contact_key, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at, reason,
        channel, direct, protected_until
    ) FROM STDIN (FORMAT BINARY)
"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Staged:
    """
    What staging did, in records.

    ``pulled`` rows are ``new`` ones that can be sent, ``invalid`` ones that can't, and ``known`` ones that the
    ledger held already. ``superseded``: older contacts of the same customer and campaign. ``expired``: contacts that
    waited too long. ``codes_unknown``: contacts whose disposition code the operation doesn't have. ``reopened``:
    contacts offered again on request. ``waiting``: all that are still to be sent; of these ``records`` may be sent now,
    of this many ``campaigns``; ``handed_over`` of them go to workers of a run under way. ``held``: new
    records that are unusual. Every new record has an id above ``mark``.
    """

    pulled: int = 0
    new: int = 0
    held: int = 0
    invalid: int = 0
    known: int = 0
    superseded: int = 0
    expired: int = 0
    codes_unknown: int = 0
    reopened: int = 0
    waiting: int = 0
    records: int = 0
    handed_over: int = 0
    campaigns: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    mark: int = 0

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {name: value for name, value in asdict(self).items() if name not in ("chunks", "mark")}


def load(
    connection: Connection, contacts: Iterable[Contact], run: Run, secret: Callable[[], str | None] = lambda: None
) -> Staged:
    """
    Write contacts into the ledger, in the current transaction or a new one; returns the counts.

    :param contacts: read as a stream: memory stays flat
    :param secret: returns the secret of anonymous customers; called when contacts are old enough to be anonymous
    """
    staged = Staged()
    with connection.transaction():
        _load(connection, contacts, asdict(run), staged, secret)
    _log(staged)
    return staged


class _Anonymous:
    """Finds contacts that the ledger holds in their anonymous form. A fresh contact costs one comparison of dates."""

    def __init__(self, connection: Connection, now: datetime, secret: Callable[[], str | None]) -> None:
        self._connection, self._before, self._ask = connection, now - DIGEST_AFTER, secret

    @cached_property
    def _secret(self) -> str | None:
        return self._ask()

    def without(self, batch: Sequence[Contact]) -> Sequence[Contact]:
        """The contacts that the ledger doesn't hold in their anonymous form."""
        before = self._before
        old = [contact.key for contact in batch if contact.contacted_at is None or contact.contacted_at < before]
        if not old or self._secret is None:
            return batch
        keys = {anonymous_key(self._secret, UUID(bytes=key)): key for key in old}
        rows = self._connection.execute(
            "SELECT contact_key FROM wolkvox.codification WHERE contact_key = ANY(%s)", (list(keys),)
        )
        held = {keys[key] for (key,) in rows}
        return [contact for contact in batch if contact.key not in held] if held else batch


def _load(
    connection: Connection,
    contacts: Iterable[Contact],
    scope: dict[str, Any],
    staged: Staged,
    secret: Callable[[], str | None],
) -> None:
    """
    Write the contacts batch by batch; those that the ledger holds already change nothing.

    A thread writes one batch to PostgreSQL while the next one is read: each takes about half of the time. The objects
    loaded so far, mostly Airflow's, are frozen for the garbage collector, which would traverse all of them with each
    batch: an eighth of the reading time.
    """
    gc.freeze()
    row = connection.execute("SELECT coalesce(max(id), 0), clock_timestamp() FROM wolkvox.codification").fetchone()
    assert row is not None
    staged.mark, now = row
    anonymous = _Anonymous(connection, now, secret)
    connection.execute(sql("incoming"))
    rest = iter(contacts)
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[tuple[int, int]] | None = None
        while batch := list(islice(rest, BATCH)):
            _count(staged, written)
            staged.pulled += len(batch)
            if staged.pulled % LOG_EVERY == 0:
                log.info("%d rows pulled so far", staged.pulled)
            written = writer.submit(_write, connection, batch, scope, anonymous)
        _count(staged, written)
    staged.new += _renew(connection, scope)
    staged.known = staged.pulled - staged.new - staged.invalid
    if staged.new:
        connection.execute(
            "INSERT INTO wolkvox.dedupe_backlog (operation, above) VALUES (%s, %s)", (scope["operation"], staged.mark)
        )


def _write(
    connection: Connection, batch: Sequence[Contact], scope: dict[str, Any], anonymous: _Anonymous
) -> tuple[int, int]:
    """
    Write contacts; returns how many are new and valid, and how many new and invalid.

    Two statements are sent as one text, which only a client cursor can: after each answer of PostgreSQL the writing
    thread has to wait for the reading thread.
    """
    unknown = anonymous.without(batch)
    with psycopg.ClientCursor(connection) as cursor:
        with cursor.copy(_COPY) as copy:
            for contact in unknown:
                copy.write_row(contact)
        row = cursor.execute(f"{sql('insert_incoming')}; {sql('see_changed')}; TRUNCATE incoming", scope).fetchone()
    assert row is not None
    return row[0], row[1]


def _renew(connection: Connection, scope: Mapping[str, Any]) -> int:
    """
    Offer contacts again whose code the warehouse has changed back, from 5 to 6 and to 5 again; how many.

    So the last code of the warehouse is the last one that wolkvox gets.
    """
    keys = [key for (key,) in connection.execute(sql("changed_back"), scope)]
    if not keys:
        return 0
    renewed = insert_again(connection, scope, keys, as_latest=True)
    connection.execute(sql("swap_versions"), {"keys": keys})
    return renewed


def insert_again(connection: Connection, scope: Mapping[str, Any], keys: Sequence[UUID], *, as_latest: bool) -> int:
    """
    Insert contacts again whose old rows must not change; returns how many.

    :param keys: of the contacts; the old rows get other keys
    :param as_latest: whether they come after the versions of the contact that came in later
    """
    params = {**scope, "keys": keys, "spare": [uuid4() for _ in keys], "as_latest": as_latest}
    connection.execute(sql("free_keys"), params)
    return connection.execute(sql("insert_again"), params).rowcount


def _log(staged: Staged) -> None:
    log.info(
        "All %d rows pulled: %d new, %d that can't be sent, %d known",
        staged.pulled,
        staged.new,
        staged.invalid,
        staged.known,
    )


def _count(staged: Staged, written: Future[tuple[int, int]] | None) -> None:
    """Wait until a batch is written, and count it."""
    if written is not None:
        new, invalid = written.result()
        staged.new += new
        staged.invalid += invalid
