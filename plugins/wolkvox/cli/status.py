"""``python -m wolkvox status``: each operation's state, as the first line and the figures of the page have it."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Iterable
from typing import Any, Literal, get_args

from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import AwareDatetime, BaseModel

from wolkvox.page.queries import Dag
from wolkvox.page.reading import USUAL, first_screen, known_dags

LevelName = Literal["well", "look", "bad"]  # the names of ``Level``, in its order

LABELS = {"well": "ok  ", "look": "LOOK", "bad": "FAIL"}  # of a line
VERSION = 1  # of the JSON: a key that goes, or means something else, makes the next one


class SuspendedStatus(BaseModel):
    """A suspended campaign: what it is, why and since when, when its next trial is, and how many contacts wait."""

    type_campaign: str
    campaign_id: str
    reason: str
    since: AwareDatetime
    until: AwareDatetime
    waiting: int


class OutageStatus(BaseModel):
    """An open circuit breaker: why and since when, and when the next trial is."""

    reason: str
    since: AwareDatetime
    until: AwareDatetime


class Today(BaseModel):
    """The figures of the quota's day; from ``waiting`` on they are of now. Lags are in seconds."""

    requests: int
    limit: int | None
    left: int | None
    resets_at: AwareDatetime
    coded: int
    rejected: int
    invalid: int
    failed: int
    lag_p50: float | None
    lag_p95: float | None
    waiting: int
    sendable: int
    suspended: int
    deferred: int
    oldest_waiting: AwareDatetime | None
    backlog_ends_at: AwareDatetime | None


class FindingStatus(BaseModel):
    """Something that needs somebody: since when, and how bad it is; ``alert`` names the alert that it is, if any."""

    name: str
    level: LevelName
    since: AwareDatetime | None
    alert: str | None = None


class DagStatus(BaseModel):
    """A DAG that stages contacts, and its operation; ``findings`` is empty when all is well."""

    dag_id: str
    operation: str
    now: AwareDatetime
    level: LevelName
    findings: list[FindingStatus]
    last_run: str | None
    last_state: str | None
    last_ended_at: AwareDatetime | None
    newest_contact_at: AwareDatetime | None
    today: Today
    suspended: list[SuspendedStatus]
    outage: OutageStatus | None


class Status(BaseModel):
    """The whole answer; ``level`` is the worst of the DAGs'."""

    version: int = VERSION
    level: LevelName
    dags: list[DagStatus]


def run(arguments: Namespace) -> int | str:
    """Print each DAG's state, or the JSON's schema; 0, 1 when a DAG's level is bad, or why not."""
    if arguments.schema:
        print(json.dumps(status_schema(), indent=2))
        return 0
    # As Airflow's own programs do: else a connection is not read from Airflow's database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        dags = [dag for dag in known_dags() or [USUAL] if arguments.dag_id in (None, dag.dag_id)]
        if not dags:
            return f"The ledger knows no DAG {arguments.dag_id!r} that has staged contacts."
        status = status_of(dags)
    except AirflowNotFoundException as error:  # a connection
        return str(error)
    print(status.model_dump_json(indent=2) if arguments.json else "\n".join(map(_line, status.dags)))
    return int(status.level == "bad")


def status_of(dags: Iterable[Dag]) -> Status:
    """The state of DAGs, without customers and without what wolkvox answered."""
    states = [_dag_status(first_screen(tab=dag.dag_id, of=dag)) for dag in dags]
    worst = max((dag.level for dag in states), key=get_args(LevelName).index)
    return Status(level=worst, dags=states)


def status_schema() -> dict[str, Any]:
    """The JSON schema of ``status --json``."""
    schema = Status.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _dag_status(screen: dict[str, Any]) -> DagStatus:
    """What of the page's first screen is in the status: the models leave all other keys out."""
    health = screen["health"]
    return DagStatus(
        dag_id=health["dag"],
        operation=screen["operation"],
        now=screen["now"],
        level=health["level"],
        findings=health["findings"],
        last_run=health["last_run"],
        last_state=health["last_state"],
        last_ended_at=health["last_ended_at"],
        newest_contact_at=health["newest"],
        today=screen["today"],
        suspended=screen["suspended"],
        outage=screen["outage"],
    )


def _line(dag: DagStatus) -> str:
    """A DAG's level, findings and figures in one line."""
    today = dag.today
    findings = ", ".join(one.alert or one.name for one in dag.findings) or "all is well"
    left = "not known" if today.left is None else today.left
    return (
        f"{LABELS[dag.level]} {dag.dag_id} ({dag.operation}): {findings}; {today.waiting} waiting, today"
        f" {today.coded} coded, {today.rejected} rejected, {today.failed} failed, requests left: {left}"
    )
