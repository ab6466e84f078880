"""
From a contact's commit in the warehouse to wolkvox's answer, under the real scheduler, triggerer and pool.

Idle and beside a backlog, with the defaults; then the same idle trickle with a run a minute, as a cron alone has it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.contacts import FILL_WAREHOUSE
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place
from benchmarks.under_airflow import copy_project, free_port
from local.airflow_api import call
from local.settings import Stack, databases
from local.stack import DAG, airflow_api, start, stop

STALE, LATENCY = 6_000, 0.2  # records, and seconds a request
EVERY = 5.0  # seconds between two fresh contacts
TIMEOUT = 300.0  # seconds until the last of them must be coded
FRESH = "INSERT INTO contacted_customers VALUES ('preview', '100002', %s, '5', NULL, NULL, now())"
ANSWERED = """
SELECT customer_id, extract(epoch FROM settled_at)::float
FROM wolkvox.codification WHERE campaign_id = '100002' AND state = 'coded'
"""
BEGUN = "SELECT began_by, count(*) FROM wolkvox.run WHERE began_at >= %s GROUP BY began_by"


def measure(place: Place) -> list[Figure]:
    """The 95th percentiles, and the worst of them."""
    fresh = place.pick(72, 8)
    with _stack(place, "events", "") as stack:
        idle = _lags(stack, fresh)
        busy = _lags(stack, fresh, stale=place.pick(STALE, 300))
    with _stack(place, "cron", "default:\n  wake: off\n") as stack:
        by_cron = _lags(stack, fresh)
    every = f"a contact every {EVERY:.0f} s"
    return [
        _figure(f"lag from commit to answer, {every}, nothing else waits, 95th percentile", idle, 15),
        _figure(f"the same with a run a minute, {every}", by_cron, None),
        _figure(f"lag from commit to answer, {every} beside 6,000 stale ones at 200 ms, 95th percentile", busy, 20),
        _figure("the worst of these", busy, 40, of="worst"),
    ]


def _figure(name: str, seen: dict[str, Any], reach: float | None, of: str = "p95") -> Figure:
    return Figure(name, seen[of], "s", reach, at_most=True, details=seen)


def _lags(stack: Stack, fresh: int, stale: int = 0) -> dict[str, Any]:
    """Lags of fresh contacts, in seconds, and what began how many runs meanwhile."""
    call(f"{stack.sandbox_url}/control", "PUT", {"latency": LATENCY, "licenses": 1_000})
    began = datetime.now(timezone.utc)
    commits: dict[str, float] = {}
    with (
        psycopg.connect(stack.uri(databases(demo=False)["warehouse"]), autocommit=True) as warehouse,
        psycopg.connect(stack.uri(databases(demo=False)["ledger"]), autocommit=True) as ledger,
    ):
        if stale:
            warehouse.execute(FILL_WAREHOUSE.encode(), (began - timedelta(hours=2), stale))
            _wait(lambda: _count(ledger) > 0)
        for number in range(fresh):
            customer = f"fresh {began:%H%M%S} {number}"
            warehouse.execute(FRESH, (customer,))
            commits[customer] = time.time()
            time.sleep(EVERY)
        _wait(lambda: commits.keys() <= {customer for customer, _ in ledger.execute(ANSWERED.encode())})
        answered: dict[str, float] = dict(ledger.execute(ANSWERED.encode()).fetchall())
        runs: dict[str, int] = dict(ledger.execute(BEGUN, (began,)).fetchall())
    lags = sorted(answered[customer] - at for customer, at in commits.items())
    return {
        "p95": lags[len(lags) * 95 // 100],
        "median": lags[len(lags) // 2],
        "worst": lags[-1],
        "fresh": len(lags),
        "runs": runs,
        "load": os.getloadavg()[0],
    }


def _count(ledger: psycopg.Connection[tuple[Any, ...]]) -> int:
    row = ledger.execute("SELECT count(*) FROM wolkvox.codification WHERE state = 'sending'").fetchone()
    return int(row[0]) if row else 0


def _wait(true: Any) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not true():
        if time.monotonic() > deadline:
            raise BrokenMeasurement("contacts were not codified in time")
        time.sleep(1.0)


@contextmanager
def _stack(place: Place, name: str, operations: str) -> Iterator[Stack]:
    """A stack of its own whose operations are as given, its DAG unpaused and its first run over."""
    project = copy_project(place, name, operations)
    root: Path = place.home / f"{name}-stack"
    bundle = {
        "name": "dags-folder",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(project / "dags")},
    }
    caller = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
    }
    try:
        stack = start(root, caller)
        api = airflow_api(stack)
        api.send("PATCH", f"/dags/{DAG}", {"is_paused": False})
        _wait(lambda: [run for run in api.get(f"/dags/{DAG}/dagRuns")["dag_runs"] if run["state"] == "success"])
        yield stack
    finally:
        stop(root)
