"""A trigger and the stages that it begins, poll by poll."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from coroutines import run
from crew import SQL, ZONE, task

from wolkvox.hook import WolkvoxHook
from wolkvox.rules.options import read_options
from wolkvox.rules.schedule import Schedule
from wolkvox.rules.window import Window
from wolkvox.tasks.stage import Source, stage_run
from wolkvox.tasks.watch import Watched
from wolkvox.triggers import WorkTrigger
from wolkvox.warehouse import connections, polling
from wolkvox.warehouse.fingerprints import window_fingerprint
from wolkvox.warehouse.queries import contacted_customers

if TYPE_CHECKING:
    from conftest import Database
DAG = "wolkvox_codify"
CONTACT = "INSERT INTO contacted_customers VALUES ('preview', '17', %s, '5', NULL, 'by chat', %s)"
QUARTERS = Schedule("*/15 * * * *", ZONE, 5.0)


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Nothing is kept open from the test before."""
    restart()
    yield
    restart()


def restart() -> None:
    """What a triggerer that is started again has: nothing."""
    everything: list[connections.Shared[Any]] = [*connections._warehouses.values(), *connections._ledgers.values()]
    for shared in everything:
        if shared._open is not None:
            shared._drop(shared._open)
    connections._warehouses.clear()
    connections._ledgers.clear()


def trigger(sql: str | None = SQL, **arguments: Any) -> WorkTrigger:
    """The trigger of the DAG."""
    return WorkTrigger(**{"dag_id": DAG, "sql": sql, "timezone": ZONE, **arguments})


def poll(one: WorkTrigger | None = None) -> bool:
    """Whether a poll sends an event."""
    return run(polling.poll(one or trigger()))[1]


def poll_at_once(triggers: Iterable[WorkTrigger]) -> list[bool]:
    """Whether each of them sends an event."""

    async def all_of_them() -> list[bool]:
        return [is_event for _, is_event in await asyncio.gather(*map(polling.poll, triggers))]

    return run(all_of_them())


def run_for(seconds: float, *triggers: WorkTrigger) -> tuple[int, float]:
    """Events while the triggers run in one event loop, and the longest time in seconds that it was blocked."""
    events, blocked = 0, 0.0

    async def consume(one: WorkTrigger) -> None:
        nonlocal events
        async for _ in one.run():
            events += 1

    async def watch() -> None:
        nonlocal blocked
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(consume(one)) for one in triggers]
        end = loop.time() + seconds
        while (now := loop.time()) < end:
            await asyncio.sleep(0.01)
            blocked = max(blocked, loop.time() - now - 0.01)
        for each in tasks:
            assert not each.done(), each
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each

    run(watch())
    return events, blocked


def contact(warehouse: Database, customer: str, ago: float = 1.0) -> None:
    """Put a contact of so many seconds ago into the warehouse."""
    warehouse.execute(CONTACT, customer, datetime.now(timezone.utc) - timedelta(seconds=ago))


def stage(
    run: str = "run",
    *,
    rows: Iterable[Sequence[Any]] | None = None,
    schedule: Schedule = QUARTERS,
    sql: str = SQL,
    ago: timedelta = timedelta(0),
    **params: Any,
) -> dict[str, Any]:
    """Do what the task ``stage`` of an event's run does, or of one whose window ended so long ago: its counts."""
    now = datetime.now(timezone.utc) - ago
    window = Window(now - timedelta(days=1), now)
    source = Source(
        contacted_customers("warehouse", sql, window, ZONE) if rows is None else rows,
        ZONE,
        timedelta(days=31),
        900.0,
        began_by="event",
        watched=Watched(schedule, partial(window_fingerprint, "warehouse", sql, window, ZONE)),
    )
    with WolkvoxHook() as wolkvox:
        return stage_run(task(run), wolkvox, source, window, read_options(params, ZONE), 1_000)[1]


def finish(ledger: Database) -> None:
    """Do what the run's other tasks do: all is coded, no run is under way."""
    ledger.execute("UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE state = 'pending'")
    ledger.execute("UPDATE wolkvox.run SET state = 'success', ended_at = now()")
    ledger.execute("UPDATE wolkvox.chunk SET closed_at = now() WHERE closed_at IS NULL")


def pass_time(ledger: Database, seconds: float) -> None:
    """Let so much time pass for the trigger and the stages."""
    names = ("stage_began_at", "staged_at", "polled_at", "event_at")
    ledger.execute(
        f"UPDATE wolkvox.watch SET {', '.join(f'{name} = {name} - %(by)s' for name in names)}".replace(
            "%(by)s", f"interval '{seconds} s'"
        )
    )
