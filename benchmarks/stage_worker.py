"""
A worker: what the task ``stage`` does with all the warehouse holds. Connections: the environment's.

Argument: how many seconds the run may send, as many as it likes when left out.
"""

from __future__ import annotations

import logging
import resource
import sys
import time
from datetime import timedelta
from typing import Any

import airflow.sdk.execution_time.supervisor  # noqa: F401 - a task's process has it when the task begins
import pendulum

from benchmarks import PROJECT
from benchmarks.contacts import A_DAY, DAG, RUN, stopped
from benchmarks.workers import serve
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.leases import Owner
from wolkvox.rules.options import RunOptions
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Chunk
from wolkvox.rules.window import Window
from wolkvox.tasks.stage import Source, stage_run
from wolkvox.tasks.task import Task
from wolkvox.warehouse.queries import contacted_customers

ZONE = "America/Bogota"
QUERY = PROJECT / "include" / "sql" / "contacted_customers.sql"


def run_stage() -> tuple[Task, list[Chunk], dict[str, Any]]:
    """Stage the last two days."""
    task = Task("wolkvox_ledger", Owner(DAG, RUN, "stage", -1, 1), stopped(), 600.0, RetryPolicy())
    options = RunOptions(None, None, timedelta(hours=24), None, None, False, 0.05, None)
    window = Window(pendulum.now() - timedelta(days=2), pendulum.now())
    rows = contacted_customers("warehouse", QUERY.read_text(), window, ZONE)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else A_DAY
    source = Source(rows, ZONE, timedelta(days=31), seconds)
    with WolkvoxHook() as wolkvox:
        return task, *stage_run(task, wolkvox, source, window, options, 1024)


class Clock(logging.Handler):
    """Notes when staging tells that all rows are in the ledger, durable."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note the time."""
        if str(record.msg).startswith("All %d rows pulled"):
            self.at = time.perf_counter()


def work() -> dict[str, Any]:
    """The summary, what it cost, and after how many seconds all rows were in the ledger."""
    clock, told = Clock(), logging.getLogger("wolkvox.ledger.staging")
    told.addHandler(clock)
    told.setLevel(logging.INFO)
    began, cpu = time.perf_counter(), time.process_time()
    _, _, summary = run_stage()
    return {
        **summary,
        "pull_seconds": clock.at - began,
        "cpu": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    serve(work)
