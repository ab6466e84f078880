"""Notes when runs begin and end, and counts where the records of their chunks are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.types.json import Jsonb

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.runs import Run
from wolkvox.rules.states import State
from wolkvox.rules.window import Window


@dataclass(slots=True)
class ChunkAccount:
    """
    Where the records of one chunk are by now.

    ``states``: of records still in it. ``deferred``: its pending records whose request failed. ``suspended``: its
    pending records of suspended campaigns. ``refused_trials``: rejected records of suspended campaigns. ``moved``:
    records that another run has, by that run's name. ``missing``: records that are gone. ``unknown`` and ``resent`` as
    in ``reports.Tally``.
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
    """Note a DAG's operation and its connection to wolkvox."""
    connection.execute(sql("register_dag"), {**asdict(run), "wolkvox_conn_id": wolkvox_conn_id})


def end_run(connection: Connection, run: Run, state: str, counts: Mapping[str, Any]) -> None:
    """Note how a run ended, "success" or "failed", and its summary; close the chunks that have not begun."""
    connection.execute(sql("close_run"), asdict(run))
    connection.execute(
        "UPDATE wolkvox.run SET state = %(state)s, counts = %(counts)s, ended_at = now()"
        " WHERE operation = %(operation)s AND dag_id = %(dag_id)s AND dag_run_id = %(dag_run_id)s",
        {**asdict(run), "state": state, "counts": Jsonb(dict(counts))},
    )


def run_is_over(connection: Connection, dag_id: str, dag_run_id: str) -> bool:
    """Whether a run has ended; False for a run that the ledger doesn't have."""
    row = connection.execute(
        "SELECT state <> 'running' FROM wolkvox.run WHERE dag_id = %s AND dag_run_id = %s", (dag_id, dag_run_id)
    ).fetchone()
    return bool(row and row[0])


def operation_of(connection: Connection, dag_id: str) -> str | None:
    """The operation of a DAG's last run; None before its first one."""
    row = connection.execute(
        "SELECT operation FROM wolkvox.run WHERE dag_id = %s ORDER BY began_at DESC LIMIT 1", (dag_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def account(connection: Connection, run: Run, chunk_ids: Sequence[str]) -> dict[str, ChunkAccount]:
    """Count where the records of each chunk are by now."""
    accounts = {chunk_id: ChunkAccount() for chunk_id in chunk_ids}
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
            if state == State.PENDING and suspended:
                chunk.suspended += records
            elif state == State.REJECTED and suspended:
                chunk.refused_trials += records
            elif state == State.PENDING and deferred:
                chunk.deferred += records
    return accounts


def _name(run: Run, dag_id: str | None, dag_run_id: str | None) -> str:
    """A run's name in the summary of another one."""
    return str(dag_run_id) if dag_id in (None, run.dag_id) else f"{dag_id} {dag_run_id}"
