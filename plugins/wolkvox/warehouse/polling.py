"""One poll for work: the ledger's and the warehouse's state, and whether that is an event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wolkvox.errors import WolkvoxError
from wolkvox.ledger.connection import Connection, explained
from wolkvox.ledger.watch import WatchedDag, note_event, note_poll, read_watch
from wolkvox.ledger.workers import chunks_wanted
from wolkvox.rules.wake import POLL_NOTED_EVERY, Fingerprint, Watch, event
from wolkvox.rules.window import Window
from wolkvox.warehouse.connections import ANSWER_TIMEOUT, ledger, warehouse
from wolkvox.warehouse.fingerprints import fingerprint
from wolkvox.warehouse.sessions import without_values

if TYPE_CHECKING:
    from wolkvox.triggers import WorkTrigger


async def poll(trigger: WorkTrigger) -> tuple[Watch, bool]:
    """
    The ledger's notes of a trigger's DAG, and whether to send an event; the ledger has noted the event by then.

    :raises WolkvoxError: when the ledger or the warehouse can't be asked, whatever the reason, without anybody's values
    """
    try:
        return await _poll(trigger)
    except WolkvoxError:
        raise
    except (TimeoutError, asyncio.TimeoutError):
        raise WolkvoxError(f"No answer came within {ANSWER_TIMEOUT:.0f} s.") from None
    except Exception as error:  # of a driver, a provider or a secrets backend
        raise WolkvoxError(without_values(error)) from None


async def _poll(trigger: WorkTrigger) -> tuple[Watch, bool]:
    dag_id = trigger.dag_id
    with explained(trigger.ledger_conn_id):
        shared = ledger(trigger.ledger_conn_id)
        (_, watch), chunks = await shared.use(lambda connection: _read(connection, dag_id))
        due = event(watch, await _count(trigger, watch), chunks)
        if due is not None:
            return watch, await shared.use(lambda connection: note_event(connection, dag_id, due, watch.event_at))
        if watch.polled_at is None or watch.now - watch.polled_at >= POLL_NOTED_EVERY:
            await shared.use(lambda connection: note_poll(connection, dag_id))
    return watch, False


def _read(connection: Connection, dag_id: str) -> tuple[WatchedDag, int]:
    watched = read_watch(connection, dag_id)
    return watched, 0 if watched.operation is None else chunks_wanted(connection, watched.operation)


async def _count(trigger: WorkTrigger, watch: Watch) -> Fingerprint | None:
    """The warehouse's rows from where the last ``stage`` counted until now; None when that can't be compared."""
    sql, staged, zone = trigger.sql, watch.staged, trigger.timezone
    if sql is None or staged is None:
        return None
    window = Window(staged.since, watch.now)
    return await warehouse(trigger.warehouse_conn_id).use(lambda engine: fingerprint(engine, sql, window, zone))
