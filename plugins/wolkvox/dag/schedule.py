"""What begins a DAG's runs: Airflow's timetable and trigger for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronDataIntervalTimetable

from wolkvox.dag.operations import Operation, query_of
from wolkvox.rules.schedule import Schedule
from wolkvox.triggers import WorkTrigger

if TYPE_CHECKING:
    from airflow.sdk import DAG


def codify_schedule(operation: Operation, dags: Path) -> CronDataIntervalTimetable | AssetOrTimeSchedule:
    """
    Runs of an operation begin when there is work, and by its cron in any case; by the cron alone where ``wake`` is off.

    :param dags: the folder of the DAG files
    """
    net = CronDataIntervalTimetable(operation.schedule, timezone=operation.timezone)
    if operation.wake is None or operation.refused:
        return net
    trigger = WorkTrigger(
        dag_id=operation.dag_id,
        sql=query_of(operation, dags),
        warehouse_conn_id=operation.warehouse_conn_id,
        timezone=operation.warehouse_zone,
        wake=operation.wake,
    )
    work = Asset(operation.work, watchers=[AssetWatcher(name=operation.work, trigger=trigger)])
    return AssetOrTimeSchedule(timetable=net, assets=work)


def schedule_of(dag: DAG) -> Schedule:
    """What begins a DAG's runs, whoever wrote it."""
    timetable = dag.timetable
    cron = getattr(timetable, "timetable", timetable)
    wakes = [trigger.wake for trigger in _triggers(getattr(timetable, "asset_condition", None))]
    return Schedule(getattr(cron, "expression", None), str(getattr(cron, "timezone", "UTC")), min(wakes, default=None))


def polls_warehouse(dag: DAG) -> bool:
    """Whether a trigger of the DAG asks the warehouse, and not the ledger alone."""
    return any(trigger.sql is not None for trigger in _triggers(getattr(dag.timetable, "asset_condition", None)))


def _triggers(assets: object) -> Iterator[WorkTrigger]:
    """Our triggers among an asset's watchers, or those of assets that are joined by "and" or "or"."""
    for watcher in getattr(assets, "watchers", ()):
        if isinstance(watcher.trigger, WorkTrigger):
            yield watcher.trigger
    for part in getattr(assets, "objects", ()):
        yield from _triggers(part)
