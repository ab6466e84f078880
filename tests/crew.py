"""Codify tasks as real processes, to be killed, and contacts for them to send."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import crew_worker
import psycopg

from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.leases import Owner
from wolkvox.rules.alerts import Thresholds
from wolkvox.rules.guard import Guard
from wolkvox.rules.options import read_options
from wolkvox.rules.protection import Protection
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Chunk
from wolkvox.rules.window import Window
from wolkvox.stop import Stop
from wolkvox.tasks.stage import Source, stage_run
from wolkvox.tasks.task import Task
from wolkvox.tasks.verdict import add_up
from wolkvox.vendor import settings as vendor_settings
from wolkvox.warehouse.queries import contacted_customers

if TYPE_CHECKING:
    from conftest import Database
    from sandbox_server import SandboxServer

    from sandbox.state import Stats

ROOT = Path(__file__).parents[1]
SQL = (ROOT / "include" / "sql" / "contacted_customers.sql").read_text()
ZONE = "America/Bogota"
CONTACTS = """
INSERT INTO contacted_customers
SELECT 'preview', %s, 'customer-' || n, '5', NULL, 'by chat', date_trunc('second', now()) - n * interval '1 second'
FROM generate_series(%s::int, %s::int) AS n
"""
AT_ONCE = RetryPolicy(first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
OWNER = Owner("wolkvox_codify", "run", "stage", -1, 1)


def fill(warehouse: Database, records: int, *, first: int = 1, campaign: str = "17") -> None:
    """Put contacts of customer-1, customer-2 and so on into the warehouse, the first one the newest."""
    warehouse.execute(CONTACTS, campaign, first, first + records - 1)


def connect(sandbox: SandboxServer, **extra: Any) -> None:
    """Make the sandbox the test's ``wolkvox_default`` again, with other settings; the fixture takes it back."""
    os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection(**extra)
    if "call_timeout" in extra:  # dead tasks' requests are waited out for as long, and no longer, in this test
        vendor_settings.CALL_TIMEOUT = min(vendor_settings.CALL_TIMEOUT, float(extra["call_timeout"]))


def stage(
    run: str = "run",
    *,
    dag: str = "wolkvox_codify",
    seconds: float = 3_600.0,
    by_hand: bool = False,
    sql: str = SQL,
    chunk_size: int | None = None,
    protection: Protection | None = None,
    guard: Guard | None = None,
    **params: Any,
) -> tuple[list[Chunk], dict[str, Any]]:
    """Do what the task ``stage`` does, for the last month's contacts: the run's chunks and its counts."""
    now = datetime.now(timezone.utc)
    window = Window(now - timedelta(days=30), now + timedelta(minutes=1))
    rows = contacted_customers("warehouse", sql, window, ZONE)
    source = Source(rows, ZONE, timedelta(days=31), seconds, by_hand, protection, guard=guard)
    # Two chunks, however few the records: most of what is shown takes both slots.
    few = patch("wolkvox.rules.chunks.FEW", 1)
    small = nullcontext() if chunk_size is None else patch("wolkvox.rules.chunks.MAX_CHUNK", chunk_size)
    with WolkvoxHook() as wolkvox, few, small:
        return stage_run(task(run, dag), wolkvox, source, window, read_options(params, ZONE), 1_000)


def send(crew: Crew, run: str = "run", **params: Any) -> dict[str, Any]:
    """Do what a run does, one worker after the other; the counts of its ``stage``."""
    chunks, counts = stage(run, **params)
    for chunk in chunks:
        crew.codify(chunk).tally()
    return counts


def task(run: str = "run", dag: str = "wolkvox_codify", retry_policy: RetryPolicy | None = None) -> Task:
    """The task ``stage`` or ``verdict`` of a run."""
    return Task(
        "wolkvox_ledger", replace(OWNER, dag_id=dag, dag_run_id=run), Stop(), 10.0, retry_policy or RetryPolicy()
    )


def verdict(
    run: str,
    staged: dict[str, Any] | None,
    tallies: list[dict[str, Any]],
    *,
    dag: str = "wolkvox_codify",
    protection: Protection | None = None,
    **params: Any,
) -> tuple[dict[str, Any], list[str]]:
    """Do what the task ``verdict`` does: the run's summary, and why it isn't green."""
    options = read_options(params, ZONE)
    return add_up(task(run, dag), WolkvoxHook().settings, options, Thresholds(), staged, tallies, protection)


def states(ledger: Database) -> dict[str, int]:
    """Records by state."""
    return dict(ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))


AGE = """
UPDATE wolkvox.codification
SET contacted_at = contacted_at - %(by)s, staged_at = staged_at - %(by)s, sent_at = sent_at - %(by)s,
    settled_at = settled_at - %(by)s, protected_until = protected_until - %(by)s
"""


def another_night() -> None:
    """All exports may be asked for again."""
    with psycopg.connect(os.environ["AIRFLOW_CONN_WOLKVOX_LEDGER"]) as connection:
        connection.execute("DELETE FROM wolkvox.export")


def age(ledger: Database, minutes: float = 20) -> None:
    """Let everything that is in the ledger have happened so much earlier; wolkvox knows nothing of it."""
    ledger.connection.execute(AGE, {"by": timedelta(minutes=minutes)})


def sent_again(stats: Stats) -> int:
    """Calls beyond the first one of each record."""
    return sum(requests - 1 for requests in stats["calls_per_record"].values())


def wait_until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


class Worker:
    """One codify task in a process of its own."""

    def __init__(self, process: ForkServerProcess, home: Path) -> None:
        self.process, self.home = process, home

    def kill(self) -> None:
        """End it as the kernel would: no goodbye to anybody."""
        self.process.kill()
        self.process.join()

    def terminate(self) -> None:
        """Ask it to stop, as Airflow does when a task is marked failed."""
        self.process.terminate()

    def result(self, seconds: float = 60.0) -> dict[str, Any]:
        """What became of it: ``ended``, and ``tally`` or ``error`` and ``message``."""
        self.process.join(seconds)
        assert self.process.exitcode == 0, f"exit status {self.process.exitcode}\n{self.log()}"
        result: dict[str, Any] = json.loads((self.home / "result.json").read_text())
        return result

    def tally(self, seconds: float = 60.0) -> dict[str, Any]:
        """The tally of a task that must have succeeded."""
        result = self.result(seconds)
        assert result["ended"] == "success", result
        tally: dict[str, Any] = result["tally"]
        return tally

    def log(self) -> str:
        """All it said so far."""
        path = self.home / "log"
        return path.read_text() if path.exists() else ""


class Crew:
    """
    Starts codify tasks; ``stop`` ends those that are left.

    The processes are forked off one that has imported everything: a start takes milliseconds.

    :param home: a folder for their logs and results
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["crew_worker"])
        self.workers: list[Worker] = []

    def codify(self, chunk: Chunk, *, dag: str = "wolkvox_codify", try_number: int = 1, **options: Any) -> Worker:
        """Start the codify task of a chunk, with more parameters of the operator if need be."""
        home = self._home / str(len(self.workers))
        home.mkdir(parents=True)
        environment = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CONN_")}
        arguments = (
            str(home),
            environment,
            {"chunk": asdict(chunk), **options},
            dag,
            try_number,
            vendor_settings.CALL_TIMEOUT,
        )
        process = self._context.Process(target=crew_worker.codify, args=arguments)
        process.start()
        worker = Worker(process, home)
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        """Kill whoever still works."""
        for worker in self.workers:
            worker.kill()
