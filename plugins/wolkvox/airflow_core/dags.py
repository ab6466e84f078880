"""What Airflow knows of a DAG, and a run of it for one customer."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from airflow.api.common.trigger_dag import trigger_dag
from airflow.configuration import conf
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select


class DagState(NamedTuple):
    """
    A DAG as Airflow has it.

    ``due_at``: when its timetable has the next run begin; None where it has none, or where Airflow begins none now.
    """

    is_paused: bool
    due_at: datetime | None


def dag_state(dag_id: str) -> DagState | None:
    """Whether a DAG is paused, and when its next run is due; None when Airflow has none of that name."""
    with create_session() as session:
        row = session.execute(
            select(DagModel.is_paused, DagModel.next_dagrun_create_after, DagModel.exceeds_max_non_backfill).where(
                DagModel.dag_id == dag_id, ~DagModel.is_stale
            )
        ).one_or_none()
    if row is None:
        return None
    paused, due_at, at_most = row
    begins_runs = conf.getboolean("scheduler", "use_job_schedule", fallback=True) and not at_most
    return DagState(paused, due_at if begins_runs else None)


def is_paused(dag_id: str) -> bool | None:
    """Whether a DAG is paused; None when Airflow has none of that name."""
    state = dag_state(dag_id)
    return None if state is None else state.is_paused


def send_customer(dag_id: str, customer: str, user: str) -> str | None:
    """
    Trigger a run that sends one customer; its id, None when there is no such DAG.

    :param customer: the customer's id, or the name of a record of theirs
    """
    run = trigger_dag(
        dag_id,
        triggered_by=DagRunTriggeredByType.UI,
        triggering_user_name=user,
        conf={"customer_id": customer},
    )
    return None if run is None else str(run.run_id)
