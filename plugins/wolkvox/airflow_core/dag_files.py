"""The DAGs as they are in their folder, and the pools as they are in Airflow's database."""

from __future__ import annotations

from airflow.dag_processing.dagbag import DagBag
from airflow.models.pool import Pool
from airflow.sdk.definitions.mappedoperator import MappedOperator
from sqlalchemy.exc import DBAPIError

from wolkvox.errors import BadSetting

__all__ = ["DagBag", "MappedOperator", "make_pool", "slots_of"]


def slots_of(name: str) -> int | None:
    """
    How many slots a pool has; None when there is no such pool.

    :raises BadSetting: when Airflow's database can't be asked
    """
    try:
        pool = Pool.get_pool(name)
    except DBAPIError as error:
        reason = (str(error.orig).strip().splitlines() or ["no message"])[0]
        raise BadSetting(
            f"Airflow's own database can't be asked for its pools: {reason}. If it is new, run `airflow db migrate`"
            " first; else check AIRFLOW__DATABASE__SQL_ALCHEMY_CONN."
        ) from error
    return None if pool is None else int(pool.slots)


def make_pool(name: str, slots: int, description: str) -> None:
    """Make a pool, or give one its slots."""
    Pool.create_or_update_pool(name, slots=slots, description=description, include_deferred=True)
