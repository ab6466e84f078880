"""The pools that codify tasks run in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wolkvox.airflow_core.dag_files import DagBag, MappedOperator, make_pool, slots_of
from wolkvox.names import POOL
from wolkvox.operators import WolkvoxCodifyOperator
from wolkvox.rules.chunks import SLOTS

if TYPE_CHECKING:
    from airflow.sdk import DAG


def pools_of(dag: DAG) -> set[str]:
    """The pools that a DAG's codify tasks name."""
    return {
        task.pool
        for task in dag.tasks
        if isinstance(task, WolkvoxCodifyOperator)
        or (isinstance(task, MappedOperator) and issubclass(task.operator_class, WolkvoxCodifyOperator))
    }


def make_pools() -> Iterator[str]:
    """Make those that are missing, and give their names."""
    for name in sorted(set().union(*map(pools_of, DagBag().dags.values()))):
        if slots_of(name) is None:
            make_pool(name, SLOTS, POOL)
            yield name
