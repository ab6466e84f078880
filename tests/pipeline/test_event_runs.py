"""A contact begins a run under the real scheduler and triggerer, long before the cron does."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import psutil
import psycopg
import pytest
from conftest import folder_in_memory
from crew import wait_until
from sandbox_server import SandboxServer, free_port

from local.airflow_api import AirflowApi
from local.settings import Stack
from local.stack import DAG, airflow_api, start, stop

pytestmark = pytest.mark.slow

TIMEOUT = 240.0  # seconds: two busy cores start Airflow slowly
CONTACT = "INSERT INTO contacted_customers VALUES ('preview', '17', %s, '5', NULL, 'by chat', %s)"


@pytest.fixture(scope="module")
def vendor() -> Iterator[SandboxServer]:
    with SandboxServer(latency=0.02) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def stack(vendor: SandboxServer) -> Iterator[Stack]:
    root = folder_in_memory("event_runs")
    settings = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "AIRFLOW_CONN_WOLKVOX_DEFAULT": vendor.connection(licenses=20),
    }
    try:
        yield start(root, settings)
    finally:
        stop(root)


def rows(stack: Stack, database: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.uri(database)) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def runs(api: AirflowApi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/dags/{DAG}/dagRuns")["dag_runs"]
    return found


def is_settled(api: AirflowApi) -> bool:
    """Whether no run is under way, and none was red."""
    return {run["state"] for run in runs(api)} == {"success"}


def coded(stack: Stack) -> dict[str, int]:
    """Codified customers, with how many requests each took."""
    return dict(rows(stack, "ledger", "SELECT customer_id, attempts FROM wolkvox.codification WHERE state = 'coded'"))


def test_a_contact_is_codified_long_before_the_cron_would_begin_a_run(stack: Stack, vendor: SandboxServer) -> None:
    api = airflow_api(stack)
    api.send("PATCH", f"/dags/{DAG}", {"is_paused": False})
    polled = "SELECT count(*) FROM wolkvox.watch WHERE polled_at IS NOT NULL AND staged_at IS NOT NULL"
    wait_until(lambda: rows(stack, "ledger", polled) == [(1,)], TIMEOUT)
    wait_until(lambda: is_settled(api), TIMEOUT)
    began = time.monotonic()
    rows(stack, "warehouse", CONTACT, "1001", datetime.now(timezone.utc))
    wait_until(lambda: vendor.stats()["coded"] == 1, 120.0)
    print(f"\n{time.monotonic() - began:.1f} s from the warehouse to wolkvox")
    wait_until(lambda: is_settled(api), TIMEOUT)
    assert rows(
        stack,
        "ledger",
        "SELECT record.state, run.began_by, run.state FROM wolkvox.codification AS record"
        " JOIN wolkvox.run USING (operation, dag_id, dag_run_id)",
    ) == [("coded", "event", "success")]
    (run_id,) = rows(stack, "ledger", "SELECT dag_run_id FROM wolkvox.codification")[0]
    assert run_id.startswith("asset_triggered__")
    summary = api.get(f"/dags/{DAG}/dagRuns/{run_id}/taskInstances/verdict/xcomEntries/return_value?deserialize=true")
    assert (summary["value"]["began_by"], summary["value"]["run_minutes"]) == ("event", 15.0)
    assert summary["value"]["poll_age"] < 90
    assert api.get("/importErrors")["total_entries"] == 0
    log = "\n".join(path.read_text(errors="replace") for path in stack.logs.rglob("*triggerer*"))
    assert "Traceback" not in log
    blocked = re.findall(r"was blocked for ([0-9.]+) seconds", log)
    assert all(float(seconds) < 1.0 for seconds in blocked)  # two busy cores stop any thread for a moment


def kill_the_triggerer(stack: Stack) -> int:
    """End the triggerer and its runner, as the kernel would; how many processes that were."""
    triggerer = next(
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "triggerer" in (process.info["cmdline"] or []) and str(stack.root) in str(process.info["environ"])
    )
    tree = [triggerer, *triggerer.children(recursive=True)]
    for process in tree:
        process.kill()
    return len(tree)


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_contacts_that_come_while_the_triggerer_is_dead_or_the_dag_paused_are_codified_once(
    stack: Stack, vendor: SandboxServer
) -> None:
    api = airflow_api(stack)
    api.send("PATCH", f"/dags/{DAG}", {"is_paused": False})
    polled = "SELECT count(*) FROM wolkvox.watch WHERE polled_at IS NOT NULL AND staged_at IS NOT NULL"
    wait_until(lambda: rows(stack, "ledger", polled) == [(1,)], TIMEOUT)
    wait_until(lambda: is_settled(api), TIMEOUT)

    assert kill_the_triggerer(stack) > 1
    rows(stack, "warehouse", CONTACT, "2001", datetime.now(timezone.utc))
    began = time.monotonic()
    wait_until(lambda: "2001" in coded(stack), 600.0)
    print(f"\n{time.monotonic() - began:.0f} s beside a triggerer that was killed")

    wait_until(lambda: is_settled(api), TIMEOUT)
    api.send("PATCH", f"/dags/{DAG}", {"is_paused": True})
    time.sleep(30.0)  # until the file is parsed again: its trigger ends
    rows(stack, "warehouse", CONTACT, "2002", datetime.now(timezone.utc))
    time.sleep(10.0)
    assert "2002" not in coded(stack)
    api.send("PATCH", f"/dags/{DAG}", {"is_paused": False})
    began = time.monotonic()
    wait_until(lambda: "2002" in coded(stack), 600.0)
    print(f"{time.monotonic() - began:.0f} s after it was unpaused")
    wait_until(lambda: is_settled(api), TIMEOUT)
    assert {customer: times for customer, times in coded(stack).items() if customer in ("2001", "2002")} == {
        "2001": 1,
        "2002": 1,
    }
    assert set(vendor.stats()["calls_per_record"].values()) == {1}
