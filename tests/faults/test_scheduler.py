"""The scheduler and all its tasks killed in mid-run, then started again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from conftest import folder_in_memory
from crew import CONTACTS, sent_again, wait_until
from sandbox_server import SandboxServer, free_port

from local.airflow_api import AirflowApi
from local.settings import Stack
from local.stack import DAG, airflow_api, start, stop

RECORDS = 2_000
RUN = "manual__killed"


@pytest.fixture(scope="module")
def vendor() -> Iterator[SandboxServer]:
    with SandboxServer(latency=0.02) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def stack(vendor: SandboxServer) -> Iterator[Stack]:
    root = folder_in_memory("scheduler")
    settings = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "AIRFLOW_CONN_WOLKVOX_DEFAULT": vendor.connection(licenses=20, call_timeout=3),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    }
    try:
        yield start(root, settings)
    finally:
        stop(root)


def rows(stack: Stack, database: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.uri(database)) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def kill_the_scheduler(root: Path) -> int:
    """End the scheduler and every task it runs, as the kernel would; how many processes that were."""
    scheduler = next(
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "scheduler" in (process.info["cmdline"] or []) and str(root) in str(process.info["environ"])
    )
    tree = [scheduler, *scheduler.children(recursive=True)]
    for process in tree:
        process.send_signal(signal.SIGSTOP)
    for process in tree:
        process.kill()
    return len(tree)


def finished(api: AirflowApi) -> bool:
    return bool(api.get(f"/dags/{DAG}/dagRuns/{RUN}")["state"] in ("success", "failed"))


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_the_scheduler_is_killed_in_mid_run_and_nothing_is_lost(stack: Stack, vendor: SandboxServer) -> None:
    rows(stack, "warehouse", CONTACTS, "17", 1, RECORDS)
    api = airflow_api(stack)
    api.send("PATCH", f"/dags/{DAG}", {"is_paused": False})
    api.send("POST", f"/dags/{DAG}/dagRuns", {"dag_run_id": RUN, "logical_date": None})
    kills = 0
    for requests in (300, 900):
        wait_until(lambda requests=requests: vendor.stats()["codify_calls"] > requests, 240.0)  # type: ignore[misc]
        kills += kill_the_scheduler(stack.root) > 1
    wait_until(lambda: finished(api), 600.0)
    time.sleep(1.0)
    stats = vendor.stats()
    print(f"{sent_again(stats)} sent twice, peak {stats['peak_in_flight']}, kills {kills}")
    counted: dict[str, int] = dict(
        rows(stack, "ledger", "SELECT state, count(*) FROM wolkvox.codification GROUP BY state")
    )
    assert counted == {"coded": RECORDS}
    assert stats["coded"] == RECORDS
    assert sent_again(stats) <= 2 * 2
    assert stats["peak_in_flight"] <= 2
    logs = [*stack.home.rglob("*.log"), *stack.logs.rglob("*.log")]
    assert len(logs) > 10
    for secret in (vendor.token, "customer-", "by chat"):
        assert [str(path) for path in logs if secret in path.read_text(errors="replace")] == []
