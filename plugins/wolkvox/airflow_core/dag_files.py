"""The DAGs as they are in their folder, and the pools as they are in Airflow's database."""

from __future__ import annotations

from airflow.dag_processing.dagbag import DagBag
from airflow.models.pool import Pool
from airflow.sdk.definitions.mappedoperator import MappedOperator

__all__ = ["DagBag", "MappedOperator", "make_pool", "slots_of"]


def slots_of(name: str) -> int | None:
    """How many slots a pool has; None when there is no such pool."""
    pool = Pool.get_pool(name)
    return None if pool is None else int(pool.slots)


def make_pool(name: str, slots: int, description: str) -> None:
    """Make a pool, or give one its slots."""
    Pool.create_or_update_pool(name, slots=slots, description=description, include_deferred=True)
