"""Decides what a run may send: retires what must not be sent any more, and makes the run's chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from wolkvox.ledger.breaker import try_at_once
from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.ledger.reports import backlog
from wolkvox.ledger.staging import Staged, insert_again
from wolkvox.ledger.workers import in_turn, keep_quiet, sendable, under_way
from wolkvox.rules.chunks import MAX_CHUNK, allotments
from wolkvox.rules.runs import Allowance, Chunk, Resend, Run


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What a run is to send.

    ``expire_after``: the age from which a contact is no longer sent. ``seconds``: how long a worker may send.
    ``most_chunks``: Airflow's limit of mapped tasks. ``limit``: records to send at most. ``customer_id``: the only
    customer to send. ``resend``: settled records to offer again. ``by_hand``: a person waits for the run, so an open
    circuit breaker is tried at once. ``fingerprint``: that of the token.
    """

    expire_after: timedelta
    seconds: float
    most_chunks: int = 1_000
    limit: int | None = None
    customer_id: str | None = None
    resend: Resend | None = None
    by_hand: bool = False
    fingerprint: int = 0


def claim(connection: Connection, run: Run, staged: Staged, allowance: Allowance, wanted: Wanted) -> None:
    """
    Retire what isn't sent any more, and make the chunks of a run, in one transaction.

    It makes as many chunks as the waiting records need, less the workers that are under way already.
    """
    with alone(connection, run.operation):
        if wanted.resend is not None:
            _reopen(connection, asdict(run), staged, wanted, wanted.resend)
        _retire(connection, asdict(run), staged, allowance, wanted)
        connection.execute(sql("close_run"), asdict(run))
        staged.waiting = backlog(connection, run.operation).waiting
        keep_quiet(connection, run.dag_id, allowance.quiet_seconds if staged.waiting else 0.0)
        if wanted.by_hand and allowance.outage:
            try_at_once(connection, run.operation)
        if wanted.customer_id is not None:
            _claim_customer(connection, run, staged, allowance, wanted)
        else:
            _claim_newest(connection, run, staged, allowance, wanted)


def retire(connection: Connection, run: Run, staged: Staged, allowance: Allowance, wanted: Wanted) -> None:
    """
    Retire what isn't sent any more, in one transaction: older contacts, unknown codes, what waited too long.

    Call it before exports settle what waits. ``claim`` does the same for what came in meanwhile.
    """
    with alone(connection, run.operation):
        _retire(connection, asdict(run), staged, allowance, wanted)


@contextmanager
def alone(connection: Connection, operation: str) -> Iterator[None]:
    """A transaction in which no other run hands records over or retires them."""
    with connection.transaction():
        lock_until_commit(connection, Lock.STAGE, operation)
        in_turn(connection, operation)  # before any row changes: a worker that ends locks in this order
        yield


def _claim_newest(connection: Connection, run: Run, staged: Staged, allowance: Allowance, wanted: Wanted) -> None:
    records, staged.campaigns = sendable(connection, run.operation)
    bounds = [bound for bound in (wanted.limit, allowance.left) if bound is not None]
    staged.records = min([records, *bounds])
    if allowance.outage and not allowance.trial:
        staged.records = staged.campaigns = 0
    limited = wanted.limit is not None
    # A person who waits for the run gets a worker: a chunk that has not begun may never begin.
    begun = {"start": timedelta(0)} if wanted.by_hand else {}
    workers = 0 if limited else under_way(connection, run.operation, **begun)
    sizes = allotments(staged.records, workers, wanted.limit, wanted.most_chunks, is_trial=allowance.outage)
    if workers and not sizes:
        staged.handed_over = staged.records
    staged.chunks = [
        _chunk(connection, run, number, size, wanted, limited=limited) for number, size in enumerate(sizes, start=1)
    ]


def _claim_customer(connection: Connection, run: Run, staged: Staged, allowance: Allowance, wanted: Wanted) -> None:
    """Put one customer's records into one chunk, those of suspended campaigns too."""
    most = min(bound for bound in (MAX_CHUNK, wanted.limit, allowance.left) if bound is not None)
    values = {**asdict(run), "customer_id": wanted.customer_id, "budget": most}
    ids = [record for record, _ in connection.execute(sql("choose_customer"), values)]
    if not ids or (allowance.outage and not allowance.trial):
        return
    staged.records = len(ids)
    row = connection.execute(
        "SELECT count(DISTINCT (type_campaign, campaign_id)) FROM wolkvox.codification WHERE id = ANY(%s)", (ids,)
    ).fetchone()
    staged.campaigns = row[0] if row else 0
    staged.chunks = [_chunk(connection, run, 1, len(ids), wanted, limited=True, only=ids)]


def _chunk(
    connection: Connection,
    run: Run,
    number: int,
    records: int,
    wanted: Wanted,
    *,
    limited: bool,
    only: Sequence[int] | None = None,
) -> Chunk:
    chunk = Chunk(uuid4().hex, run.dag_run_id, run.operation, number, records, wanted.seconds)
    connection.execute(
        "INSERT INTO wolkvox.chunk"
        " (chunk_id, operation, dag_id, dag_run_id, number, records, only_ids, limited, fingerprint)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            chunk.chunk_id,
            run.operation,
            run.dag_id,
            run.dag_run_id,
            number,
            records,
            None if only is None else list(only),
            limited,
            wanted.fingerprint,
        ),
    )
    return chunk


def _retire(
    connection: Connection, scope: dict[str, Any], staged: Staged, allowance: Allowance, wanted: Wanted
) -> None:
    """Settle what isn't sent any more: superseded, unknown codes, expired."""
    supersede(connection, scope, staged)
    if allowance.codes is not None:
        values = {**scope, "codes": sorted(allowance.codes)}
        staged.codes_unknown += connection.execute(sql("refuse_codes"), values).rowcount
    values = {**scope, "expire_after": wanted.expire_after}
    staged.expired += connection.execute(sql("expire"), values).rowcount


def _reopen(connection: Connection, scope: dict[str, Any], staged: Staged, wanted: Wanted, resend: Resend) -> None:
    """
    Offer the records again that ``resend`` asks for.

    A record that a daily digest covers is not changed: its contact gets a new record. Both are evidence.
    """
    values = {**scope, **asdict(resend), "customer_id": wanted.customer_id, "expire_after": wanted.expire_after}
    rows = connection.execute(sql("to_reopen"), values).fetchall()
    ids = [record for record, _, is_digested in rows if not is_digested]
    keys = [key for _, key, is_digested in rows if is_digested]
    connection.execute(sql("reopen"), {**values, "ids": ids})
    if keys:
        insert_again(connection, scope, keys, as_latest=False)
    staged.reopened = len(rows)


def supersede(connection: Connection, scope: Mapping[str, Any], staged: Staged) -> None:
    """Supersede older contacts by what came in since the last time, the loads of runs that died among them."""
    loads = connection.execute(
        "DELETE FROM wolkvox.dedupe_backlog WHERE operation = %(operation)s RETURNING above", scope
    ).fetchall()
    marks = [above for (above,) in loads]
    if marks and min(marks) > 0:
        connection.execute(sql("note_changed"), {**scope, "mark": min(marks)})
    marks += [0] if staged.reopened else []
    if marks:
        staged.superseded += connection.execute(sql("supersede"), {**scope, "mark": min(marks)}).rowcount
