"""The trigger as Airflow sees it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, AssetWatcher, CronDataIntervalTimetable, CronTriggerTimetable
from airflow.triggers.base import BaseEventTrigger
from conftest import Database
from coroutines import run
from watching import contact, new_process, poll, trigger

from wolkvox.dag.schedule import schedule_of
from wolkvox.rules.schedule import Schedule
from wolkvox.triggers import WorkTrigger
from wolkvox.warehouse.connections import Shared

__all__ = ["new_process"]

ARGUMENTS: dict[str, Any] = {
    "dag_id": "wolkvox_codify_sales",
    "sql": "SELECT 1",
    "warehouse_conn_id": "lake",
    "ledger_conn_id": "books",
    "timezone": "America/Lima",
    "wake": 7.5,
}


def test_a_trigger_is_made_again_from_what_airflow_keeps_of_it() -> None:
    path, arguments = WorkTrigger(**ARGUMENTS).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(import_module(module), name)(**arguments)
    assert again.serialize() == (path, ARGUMENTS)
    assert BaseEventTrigger.hash(path, arguments) == BaseEventTrigger.hash(*WorkTrigger(**ARGUMENTS).serialize())


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_changed_argument_is_another_trigger(name: str) -> None:
    path, arguments = WorkTrigger(**ARGUMENTS).serialize()
    changed = {**arguments, name: 8.5 if name == "wake" else "other"}
    assert BaseEventTrigger.hash(path, changed) != BaseEventTrigger.hash(path, arguments)


def test_airflow_takes_it_for_a_watcher() -> None:
    assert isinstance(AssetWatcher(name="work", trigger=trigger()).trigger, WorkTrigger)


@pytest.mark.parametrize("sql", ["SELECT {{ ds }}", "SELECT 1 {% if x %}{% endif %}", "SELECT 1 {# no #}"])
def test_a_query_that_only_a_task_can_fill_in_is_left_out(sql: str) -> None:
    assert WorkTrigger(dag_id="dag", sql=sql).sql is None


@pytest.mark.parametrize("sql", ["SELECT '{}'", "SELECT '{\"a\": 1}'", "SELECT 5 % 2"])
def test_a_query_with_braces_alone_is_no_template(sql: str) -> None:
    assert WorkTrigger(dag_id="dag", sql=sql).sql == sql


WORK = Asset("work", watchers=[AssetWatcher(name="work", trigger=trigger(wake=9.0))])
CRON = CronTriggerTimetable("0 * * * *", timezone="America/Lima")


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (None, Schedule()),
        (CRON, Schedule("0 * * * *", "America/Lima")),
        (CronDataIntervalTimetable("@daily", timezone="UTC"), Schedule("0 0 * * *", "UTC")),
        (timedelta(hours=1), Schedule()),
        (Asset("other"), Schedule()),
        (WORK, Schedule(wake=9.0)),
        (WORK | Asset("other"), Schedule(wake=9.0)),
        (AssetOrTimeSchedule(timetable=CRON, assets=WORK), Schedule("0 * * * *", "America/Lima", 9.0)),
        (AssetOrTimeSchedule(timetable=CRON, assets=[Asset("other")]), Schedule("0 * * * *", "America/Lima")),
    ],
    ids=str,
)
def test_what_begins_the_runs_of_anybodys_dag_is_known(schedule: Any, expected: Schedule) -> None:
    with DAG("anybodys", schedule=schedule) as dag:
        assert schedule_of(dag) == expected


def test_a_dag_that_never_staged_gets_an_event_whatever_the_warehouse_holds(
    ledger: Database, warehouse: Database
) -> None:
    assert poll()
    assert not poll(), "its run is on the way"
    assert ledger.rows("SELECT dag_id, event_saw FROM wolkvox.watch") == [
        ("wolkvox_codify", "rows not counted; nothing to send")
    ]


FIRST_POLL = """
import asyncio, time
from wolkvox.triggers import WorkTrigger

async def main():
    async def first():
        async for event in WorkTrigger(dag_id="wolkvox_codify", sql="SELECT 1", wake=0.01).run():
            return
    loop, longest = asyncio.get_running_loop(), 0.0
    polling = asyncio.create_task(first())
    while not polling.done():
        began = loop.time()
        await asyncio.sleep(0.01)
        longest = max(longest, loop.time() - began)
    await polling
    print(longest)

asyncio.run(main())
"""


def test_the_first_poll_does_not_hold_up_the_other_triggers_of_the_process(ledger: Database) -> None:
    """Drivers and Airflow's hooks take seconds to import."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_POLL], env=environment, capture_output=True, text=True, check=True
    )
    assert float(done.stdout.splitlines()[-1]) < 0.8


def test_nothing_of_a_contact_is_in_the_ledgers_notes(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "573001234567")
    poll()
    assert "573001234567" not in str(ledger.rows("SELECT * FROM wolkvox.watch"))


@pytest.mark.parametrize("turns", range(6))
def test_a_poll_that_is_cancelled_as_its_answer_comes_ends(turns: int) -> None:
    """However many turns of the event loop the answer has had: whoever is to stop does not go on polling."""
    shared, answered = Shared(lambda: "connection", lambda _: None, threads=1), threading.Event()

    async def poll_for_ever() -> None:
        while True:
            await shared.use(lambda _: answered.wait(5))

    async def cancel() -> None:
        task = asyncio.create_task(poll_for_ever())
        await asyncio.sleep(0.05)
        answered.set()
        time.sleep(0.05)  # the loop stands still while the thread answers
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=1)
        assert done
        assert task.cancelled()

    run(cancel())
