"""Two workers, two schedulers, two operations on one token: a worker dies, Redis is restarted, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
import requests
from composed import ROOT, Deployment, deployed, state_of, wait_until

pytestmark = pytest.mark.slow

CONTACTS = 600
OPERATIONS = """
default:
  sql: sql/seven.sql
north:
  sql: sql/eight.sql
  wolkvox_conn_id: wolkvox_default
"""
DAGS = ("wolkvox_codify", "wolkvox_codify_north")
SECOND = "second@%h"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    query = (ROOT / "include" / "sql" / "contacted_customers.sql").read_text()
    queries = {
        f"sql/{name}.sql": f"{query}    AND campaign_id = '{campaign}'\n"
        for name, campaign in (("seven", "7"), ("eight", "8"))
    }
    with deployed(tmp_path_factory.mktemp("workers"), CONTACTS, {"operations.yaml": OPERATIONS, **queries}) as stack:
        stack.start("worker", "second worker", "--celery-hostname", SECOND)
        stack.start("scheduler", "second scheduler")
        yield stack


def rows(stack: Deployment, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.environment("init")["AIRFLOW_CONN_WOLKVOX_LEDGER"]) as ledger:
        return ledger.execute(statement.encode()).fetchall()


def coded(stack: Deployment) -> int:
    ((count,),) = rows(stack, "SELECT count(*) FROM wolkvox.codification WHERE state = 'coded'")
    return int(count)


def trigger(stack: Deployment, admin: requests.Session, dag: str) -> str:
    """Start a run of a DAG; its address."""
    now = datetime.now(timezone.utc)
    window = {"window_start": (now - timedelta(days=2)).isoformat(), "window_end": now.isoformat(), "run_minutes": 10}
    runs = f"{stack.api}/api/v2/dags/{dag}/dagRuns"
    started = admin.post(runs, json={"logical_date": None, "conf": window}, timeout=30)
    started.raise_for_status()
    return f"{runs}/{started.json()['dag_run_id']}"


def took_tasks(stack: Deployment, name: str) -> bool:
    return "execute_workload" in stack.log(name).read_text()


@pytest.mark.timeout(600)
def test_a_dead_worker_and_a_restarted_redis_cost_nothing_but_time(stack: Deployment) -> None:
    admin = stack.admin()
    requests.put(f"{stack.sandbox}/control", json={"latency": 0.1}, timeout=30).raise_for_status()
    for dag in DAGS:
        address = f"{stack.api}/api/v2/dags/{dag}"
        wait_until(lambda address=address: admin.get(address, timeout=30).ok, f"{dag} was not found")  # type: ignore[misc]
        admin.patch(f"{stack.api}/api/v2/dags/{dag}", json={"is_paused": False}, timeout=30).raise_for_status()
    running = [trigger(stack, admin, dag) for dag in DAGS]
    wait_until(lambda: coded(stack) > 60, "nothing is codified")
    wait_until(lambda: took_tasks(stack, "worker") and took_tasks(stack, "second worker"), "one worker does it all")
    stack.kill("worker")
    stack.processes["redis"].terminate()
    stack.processes["redis"].wait(30)
    stack.start("redis")
    wait_until(lambda: all(state_of(admin, run) in ("success", "failed") for run in running), "the runs don't end")
    deadline = time.monotonic() + 240
    while coded(stack) < CONTACTS:
        states = rows(stack, "SELECT state, reason, count(*) FROM wolkvox.codification GROUP BY 1, 2")
        assert time.monotonic() < deadline, states
        time.sleep(2)
    stats = requests.get(f"{stack.sandbox}/stats", timeout=30).json()
    again = {record: requests for record, requests in stats["calls_per_record"].items() if requests > 1}
    assert stats["coded"] == CONTACTS
    assert stats["peak_in_flight"] <= 2
    assert len(again) <= 2, "one for each slot of the dead worker"
    assert rows(stack, "SELECT operation, state, count(*) FROM wolkvox.codification GROUP BY 1, 2 ORDER BY 1") == [
        ("0041", "coded", CONTACTS // 2),
        ("north", "coded", CONTACTS // 2),
    ]
    health = admin.get(f"{stack.api}/api/v2/monitor/health", timeout=30).json()
    assert health["scheduler"]["status"] == "healthy"
    assert all(stack.processes[name].poll() is None for name in ("scheduler", "second scheduler", "second worker"))
