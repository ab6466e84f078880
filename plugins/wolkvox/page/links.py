"""Paths inside Airflow's UI, relative to its root. Pure."""

from __future__ import annotations

from urllib.parse import quote

from wolkvox.rules.names import DAG_ID


def task_path(dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
    """A task instance's page, which opens with its log."""
    mapped = f"/mapped/{map_index}" if map_index >= 0 else ""
    return f"dags/{quote(dag_id, '')}/runs/{quote(run_id, '')}/tasks/{quote(task_id, '')}{mapped}"


def record_path(dag_id: str | None, run_id: str | None, chunk_number: int | None) -> str | None:
    """The page of the task that had a record last: its chunk's, or the one that staged it."""
    dag_id = dag_id or DAG_ID
    if run_id is None:
        return None
    if chunk_number is None:
        return task_path(dag_id, run_id, "stage")
    return task_path(dag_id, run_id, "codify", chunk_number - 1)
