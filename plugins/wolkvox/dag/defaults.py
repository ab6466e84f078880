"""The arguments that the tasks of an operation share."""

from __future__ import annotations

from typing import Any

from wolkvox.dag.operations import Operation


def task_defaults(operation: Operation) -> dict[str, Any]:
    """The ``default_args`` of an operation's DAGs; plain values, for Airflow stores them and compares them as text."""
    return {
        "wolkvox_conn_id": operation.wolkvox_conn_id,
        "warehouse_conn_id": operation.warehouse_conn_id,
        "operation": operation.key,
        "timezone": operation.timezone,
        "warehouse_timezone": operation.warehouse_timezone,
        "placeholder_ids": operation.placeholder_ids,
        "refused": operation.refused,
        "is_built_in": operation.is_built_in,
    }
