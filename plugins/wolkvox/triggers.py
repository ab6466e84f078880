"""The trigger that begins a run when there is work."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from wolkvox.errors import WolkvoxError
from wolkvox.rules.wake import pause

FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0  # seconds after a poll that failed, doubled with each one in a row
LOGGED_EVERY = 60.0  # seconds between two lines about polls that fail

_TEMPLATE = re.compile(r"\{[{%#]")
_importer = ThreadPoolExecutor(1, "wolkvox-import")  # drivers take a second, in which the event loop must go on
_POLLING = "wolkvox.warehouse.polling"

log = logging.getLogger(__name__)


class WorkTrigger(BaseEventTrigger):
    """
    Polls for work of a DAG, and sends an event while there is some.

    There is work when the warehouse's query gives other rows than the last ``stage`` pulled, or when the ledger holds
    records that may be sent and too few workers are under way for them. Nothing is kept in memory: what the trigger
    compares with, and when it last sent an event, is in the ledger. It never raises: Airflow would start it again at
    once, for ever.

    :param dag_id: the DAG that the events begin
    :param sql: the warehouse query of its ``stage``; None, or one with templates: the ledger alone is asked
    :param warehouse_conn_id: as its ``stage`` has it, like ``ledger_conn_id`` and ``timezone``
    :param wake: seconds between two polls
    """

    def __init__(
        self,
        *,
        dag_id: str,
        sql: str | None = None,
        warehouse_conn_id: str = "warehouse",
        ledger_conn_id: str = "wolkvox_ledger",
        timezone: str = "America/Bogota",
        wake: float = 5.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dag_id = dag_id
        self.sql = None if sql is None or _TEMPLATE.search(sql) else sql
        self.warehouse_conn_id = warehouse_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.timezone = timezone
        self.wake = wake

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class's path and its arguments."""
        names = ("dag_id", "sql", "warehouse_conn_id", "ledger_conn_id", "timezone", "wake")
        return "wolkvox.triggers.WorkTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll for ever."""
        trouble = _Trouble(self.dag_id)
        wait = random.uniform(0, min(self.wake, FIRST_WAIT))  # noqa: S311 - many triggers begin at the same moment
        is_open = False  # until then a poll looks connections up and opens them: its length says nothing of the next
        while True:
            await asyncio.sleep(wait)
            began = monotonic()
            try:
                polling = await asyncio.get_running_loop().run_in_executor(_importer, import_module, _POLLING)
                watch, is_event = await polling.poll(self)
            except Exception as error:
                wait = trouble.begin(str(error) if isinstance(error, WolkvoxError) else type(error).__name__)
                is_open = False
                continue
            trouble.end()
            wait = pause(watch, self.wake, monotonic() - began if is_open else 0.0)
            is_open = True
            if is_event:
                yield TriggerEvent({"dag_id": self.dag_id})  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Trouble:
    """Polls that fail: one line when they begin to, one when they work again, and longer and longer waits between."""

    dag_id: str
    failures: int = 0
    is_logged: bool = False
    logged_at: float = -LOGGED_EVERY

    def begin(self, reason: str) -> float:
        """Seconds to wait after one more poll that failed."""
        if not self.is_logged and monotonic() - self.logged_at >= LOGGED_EVERY:
            self.is_logged, self.logged_at = True, monotonic()
            log.warning("Polls for work of %s fail; the cron alone begins its runs. %s", self.dag_id, reason)
        self.failures += 1
        return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(self.failures - 1, 10)))

    def end(self) -> None:
        """A poll worked."""
        if self.is_logged:
            log.info("Polls for work of %s work again, after %d that failed.", self.dag_id, self.failures)
        self.failures, self.is_logged = 0, False
