"""From the warehouse into the ledger."""

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
from wolkvox.rules.anonymity import anonymous_key
from wolkvox.rules.contacts import Contact
from wolkvox.rules.digests import DIGEST_AFTER
from wolkvox.rules.runs import Chunk, Run

BATCH = 20_000  # contacts written at once: two such batches are what staging keeps in memory
TELL_EVERY = 5 * BATCH  # rows: a few seconds' work

# Binary takes a third of the processor time that text does; a key's 16 bytes are what a uuid is in it.
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
    ledger held already. ``superseded`` counts older contacts of the same customer and campaign, ``expired``
    those that waited too long, ``codes_unknown`` those whose disposition code the operation doesn't have,
    ``reopened`` those offered again on request, and ``waiting`` all that are still to be sent. Of these ``records`` may
    be sent now, of so many ``campaigns``; ``handed_over`` of them to workers of a run under way.
    """

    pulled: int = 0
    new: int = 0
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

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {name: value for name, value in asdict(self).items() if name != "chunks"}


def load(
    connection: Connection, contacts: Iterable[Contact], run: Run, secret: Callable[[], str | None] = lambda: None
) -> Staged:
    """
    Write contacts into the ledger, in the transaction under way or one of its own; how many there were.

    :param contacts: read as a stream: memory stays flat
    :param secret: that of anonymous customers, asked for when contacts come that may be anonymous in the ledger
    """
    staged = Staged()
    with connection.transaction():
        _load(connection, contacts, asdict(run), staged, secret)
    _tell(staged)
    return staged


class _Anonymous:
    """Knows contacts that come again after they have become anonymous. Fresh ones cost it a comparison of dates."""

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
        found = self._connection.execute(
            "SELECT contact_key FROM wolkvox.codification WHERE contact_key = ANY(%s)", (list(keys),)
        )
        known = {keys[key] for (key,) in found}
        return [contact for contact in batch if contact.key not in known] if known else batch


def _load(
    connection: Connection,
    contacts: Iterable[Contact],
    scope: dict[str, Any],
    staged: Staged,
    secret: Callable[[], str | None],
) -> None:
    """
    Write the contacts down, batch by batch; those that the ledger knows already change nothing.

    A thread hands one batch to PostgreSQL while the next one is read: each takes about half of the time. What is
    loaded by now, Airflow above all, is kept from the garbage collector: each batch would make it look through all
    of that again, an eighth of the reading.
    """
    gc.freeze()
    row = connection.execute("SELECT coalesce(max(id), 0), clock_timestamp() FROM wolkvox.codification").fetchone()
    assert row is not None
    mark, now = row
    anonymous = _Anonymous(connection, now, secret)
    connection.execute(sql("incoming"))
    rest = iter(contacts)
    with ThreadPoolExecutor(max_workers=1) as writer:
        written: Future[tuple[int, int]] | None = None
        while batch := list(islice(rest, BATCH)):
            _count(staged, written)
            staged.pulled += len(batch)
            if staged.pulled % TELL_EVERY == 0:
                log.info("%d rows pulled so far", staged.pulled)
            written = writer.submit(_write, connection, batch, scope, anonymous)
        _count(staged, written)
    staged.new += _renew(connection, scope)
    staged.known = staged.pulled - staged.new - staged.invalid
    if staged.new:
        connection.execute(
            "INSERT INTO wolkvox.dedupe_backlog (operation, above) VALUES (%s, %s)", (scope["operation"], mark)
        )


def _write(
    connection: Connection, batch: Sequence[Contact], scope: dict[str, Any], anonymous: _Anonymous
) -> tuple[int, int]:
    """
    Write contacts down; how many of them are new and valid, and new and invalid.

    Each answer that the writing thread waits for, it then has to wait for the reading one: so two statements are
    sent as one text, which only a client cursor can.
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
    Offer contacts anew whose code the warehouse has changed back, from 5 to 6 and to 5 again; how many.

    The last code of the warehouse is then the last one that wolkvox gets.
    """
    keys = [key for (key,) in connection.execute(sql("changed_back"), scope)]
    if not keys:
        return 0
    params = {**scope, "keys": keys, "spare": [uuid4() for _ in keys]}
    connection.execute(sql("free_keys"), params)
    renewed = connection.execute(sql("renew_versions"), params).rowcount
    connection.execute(sql("swap_versions"), params)
    return renewed


def _tell(staged: Staged) -> None:
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
