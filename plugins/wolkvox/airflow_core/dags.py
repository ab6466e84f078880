"""What Airflow knows of a DAG, and a run of it for one customer."""

from __future__ import annotations

from airflow.api.common.trigger_dag import trigger_dag
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select


def is_paused(dag_id: str) -> bool | None:
    """Whether a DAG is paused; None when Airflow has none of that name."""
    with create_session() as session:
        paused: bool | None = session.scalar(
            select(DagModel.is_paused).where(DagModel.dag_id == dag_id, ~DagModel.is_stale)
        )
        return paused


def send_customer(dag_id: str, customer_id: str, user: str) -> str | None:
    """Trigger a run that sends one customer; its id, None when there is no such DAG."""
    run = trigger_dag(
        dag_id,
        triggered_by=DagRunTriggeredByType.UI,
        triggering_user_name=user,
        conf={"customer_id": customer_id},
    )
    return None if run is None else str(run.run_id)
