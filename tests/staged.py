"""Contacts staged without a warehouse, and workers that take them without a task: for tests of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol

from wolkvox.ledger.claiming import Wanted, claim
from wolkvox.ledger.connection import Connection, LedgerConnection
from wolkvox.ledger.leases import LeaseRules, Owner
from wolkvox.ledger.runs import begin_run
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.staging import Staged, load
from wolkvox.rules.contacts import Contact
from wolkvox.rules.records import Record, Settled
from wolkvox.rules.runs import Allowance, Chunk, Run
from wolkvox.rules.states import State
from wolkvox.rules.window import Window
from wolkvox.stop import Stop

if TYPE_CHECKING:
    from conftest import Database


class HasUri(Protocol):
    """A database."""

    @property
    def uri(self) -> str:
        """Where it is."""


EVER = timedelta(days=36_500)
WINDOW = Window(datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 2, 1, tzinfo=timezone.utc))
RULES = LeaseRules(fingerprint=7, operation="0041", call_timeout=65.0, timeout=5.0)
OWNER = Owner("wolkvox_codify", "run", "codify", 0, 1)


def stage_in(
    connection: Connection,
    contacts: Iterable[Contact],
    run: str = "run",
    *,
    allowance: Allowance | None = None,
    keep: bool = True,
    **wanted: Any,
) -> Staged:
    """Do what the task ``stage`` does with contacts; the rest as in ``Wanted``."""
    scope = Run("0041", "wolkvox_codify", run)
    options: dict[str, Any] = {"expire_after": EVER, "seconds": 3_600.0, "fingerprint": 7, **wanted}
    with nullcontext() if keep else connection.transaction(force_rollback=True):
        begin_run(connection, scope, WINDOW, "other")
        staged = load(connection, contacts, scope)
        claim(connection, scope, staged, allowance or Allowance(), Wanted(**options))
    return staged


def worker(ledger: HasUri, chunk: Chunk, **options: Any) -> ChunkSession:
    """The worker of a chunk, as its task has it."""
    return ChunkSession(
        lambda: LedgerConnection.connect(ledger.uri, autocommit=True), chunk, RULES, OWNER, Stop(), **options
    )


def coded(record: int) -> Settled:
    """The record was coded."""
    return Settled(record, State.CODED, None, "202", "coded")


def code(session: ChunkSession, *records: Record) -> None:
    """Send records and have them coded."""
    last = None
    for record in records:
        session.advance(last, record.id)
        last = coded(record.id)
    session.advance(last, None)


def settle(ledger: Database, customer: str, state: str, reason: str | None = None) -> None:
    """Do to a customer's pending record what the codify loop does."""
    ledger.execute(
        "UPDATE wolkvox.codification SET state = %s, reason = %s, attempts = 1, response_code = '500',"
        " response_msg = 'oops', settled_at = CASE WHEN %s NOT IN ('pending', 'sending') THEN now() END"
        " WHERE customer_id = %s AND state IN ('pending', 'sending')",
        state,
        reason,
        state,
        customer,
    )


def states(ledger: Database) -> dict[str, int]:
    """Records by state."""
    return dict(ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))


def customers(ledger: Database, state: str) -> list[str]:
    """The customers in a state, in the order in which they were staged."""
    rows = ledger.rows("SELECT customer_id FROM wolkvox.codification WHERE state = %s ORDER BY id", state)
    return [row[0] for row in rows]
