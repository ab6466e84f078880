"""``python -m wolkvox pools``: make the pools that codify tasks run in."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wolkvox.airflow_core.dag_files import DagBag, MappedOperator, make_pool, slots_of
from wolkvox.operators import WolkvoxCodifyOperator
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.names import POOL_DESCRIPTION

if TYPE_CHECKING:
    from airflow.sdk import DAG


def run(_: Namespace) -> int:
    """Make the pools that are missing, and print their names; 0."""
    for name in make_pools():
        print(f"Pool {name}: made, with two slots.")
    return 0


def pools_of(dag: DAG) -> set[str]:
    """The pools that a DAG's codify tasks name."""
    return {
        task.pool
        for task in dag.tasks
        if isinstance(task, WolkvoxCodifyOperator)
        or (isinstance(task, MappedOperator) and issubclass(task.operator_class, WolkvoxCodifyOperator))
    }


def make_pools() -> Iterator[str]:
    """Make the pools that are missing, and yield the name of each."""
    for name in sorted(set().union(*map(pools_of, DagBag().dags.values()))):
        if slots_of(name) is None:
            make_pool(name, SLOTS, POOL_DESCRIPTION)
            yield name
