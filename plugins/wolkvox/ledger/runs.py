"""Runs in the ledger: when they began and ended, and where the records of their chunks are by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.types.json import Jsonb

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.runs import Run
from wolkvox.rules.window import Window


@dataclass(slots=True)
class Account:
    """
    Where the records of one chunk are by now.

    ``states`` are those of records still in it. Of its pending ones ``deferred`` went wrong and are deferred, and
    ``suspended`` are of suspended campaigns; ``refused_trials`` are the rejected ones of suspended campaigns. ``moved``
    ones are in another run's hands, by that run's name; ``missing`` ones are nowhere. ``unknown`` and ``resent`` as
    in a tally.
    """

    states: Counter[str] = field(default_factory=Counter)
    deferred: int = 0
    suspended: int = 0
    refused_trials: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    unknown: int = 0
    resent: int = 0


def begin_run(connection: Connection, run: Run, window: Window, began_by: str) -> None:
    """
    Note that a run has begun; one whose ``stage`` is cleared begins again.

    :param began_by: one of ``rules.options.BEGAN_BY``
    """
    params = {**asdict(run), "window_start": window.start, "window_end": window.end, "began_by": began_by}
    connection.execute(sql("begin_run"), params)


def register_dag(connection: Connection, run: Run, wolkvox_conn_id: str) -> None:
    """Note whose contacts a DAG stages, and through which connection they are sent."""
    connection.execute(sql("register_dag"), {**asdict(run), "wolkvox_conn_id": wolkvox_conn_id})


def end_run(connection: Connection, run: Run, state: str, counts: Mapping[str, Any]) -> None:
    """Note how a run ended: "success" or "failed", and what its summary says. What it waits for begins no more."""
    connection.execute(sql("close_run"), asdict(run))
    connection.execute(
        "UPDATE wolkvox.run SET state = %(state)s, counts = %(counts)s, ended_at = now()"
        " WHERE operation = %(operation)s AND dag_id = %(dag_id)s AND dag_run_id = %(dag_run_id)s",
        {**asdict(run), "state": state, "counts": Jsonb(dict(counts))},
    )


def run_is_over(connection: Connection, dag_id: str, dag_run_id: str) -> bool:
    """Whether a run has ended; one that isn't known has not."""
    row = connection.execute(
        "SELECT state <> 'running' FROM wolkvox.run WHERE dag_id = %s AND dag_run_id = %s", (dag_id, dag_run_id)
    ).fetchone()
    return bool(row and row[0])


def operation_of(connection: Connection, dag_id: str) -> str | None:
    """Whose contacts a DAG stages, as its last run knew; None before its first one."""
    row = connection.execute(
        "SELECT operation FROM wolkvox.run WHERE dag_id = %s ORDER BY began_at DESC LIMIT 1", (dag_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def account(connection: Connection, run: Run, chunk_ids: Sequence[str]) -> dict[str, Account]:
    """Where the records of each chunk are by now."""
    accounts = {chunk_id: Account() for chunk_id in chunk_ids}
    rows = connection.execute(sql("account"), {"chunk_ids": list(chunk_ids)})
    for chunk_id, state, own, dag_id, dag_run_id, deferred, suspended, records, unknown, resent in rows:
        chunk = accounts[chunk_id]
        if state is None:
            chunk.missing += records
        elif not own:
            chunk.moved[_name(run, dag_id, dag_run_id)] += records
        else:
            chunk.states[state] += records
            chunk.unknown += unknown
            chunk.resent += resent
            if state == "pending" and suspended:
                chunk.suspended += records
            elif state == "rejected" and suspended:
                chunk.refused_trials += records
            elif state == "pending" and deferred:
                chunk.deferred += records
    return accounts


def _name(run: Run, dag_id: str | None, dag_run_id: str | None) -> str:
    """How a run is called in the summary of another one."""
    return str(dag_run_id) if dag_id in (None, run.dag_id) else f"{dag_id} {dag_run_id}"
