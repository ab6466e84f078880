"""Fresh contacts while codify tasks are killed again and again, under the real scheduler and its schedule."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import psutil
import psycopg
import pytest
from conftest import folder_in_memory
from crew import CONTACTS, sent_again, wait_until
from sandbox_server import SandboxServer, free_port

from local.settings import Stack
from local.stack import DAG, airflow_api, start, stop

STALE, FRESH, KILLS = 3_000, 10, 6
FRESH_CONTACTS = """
INSERT INTO contacted_customers
SELECT 'preview', '99', 'fresh-' || %s || '-' || n, '5', NULL, NULL, now()
FROM generate_series(1, %s::int) AS n
"""
LAGS = (
    "SELECT extract(epoch FROM settled_at - contacted_at)::float FROM wolkvox.codification"
    " WHERE campaign_id = '99' AND state = 'coded' ORDER BY 1"
)


@pytest.fixture(scope="module")
def vendor() -> Iterator[SandboxServer]:
    with SandboxServer(latency=0.2, licenses=1_000) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def stack(vendor: SandboxServer) -> Iterator[Stack]:
    root = folder_in_memory("fresh")
    settings = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "AIRFLOW_CONN_WOLKVOX_DEFAULT": vendor.connection(),
    }
    try:
        yield start(root, settings)
    finally:
        stop(root)


def rows(stack: Stack, database: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.uri(database)) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def senders(stack: Stack) -> list[int]:
    """Processes that hold a slot of the token."""
    found = rows(stack, "ledger", "SELECT pid FROM wolkvox.slot WHERE task_id = 'codify'")
    return [pid for (pid,) in found if psutil.pid_exists(pid)]


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_fresh_contacts_are_coded_within_minutes_while_codify_tasks_are_killed(
    stack: Stack, vendor: SandboxServer
) -> None:
    rows(stack, "warehouse", CONTACTS, "17", 1, STALE)
    airflow_api(stack).send("PATCH", f"/dags/{DAG}", {"is_paused": False})
    chance = Random(7)
    for kill in range(KILLS):
        wait_until(lambda: senders(stack), 240.0)
        time.sleep(chance.uniform(1.0, 12.0))
        rows(stack, "warehouse", FRESH_CONTACTS, kill, FRESH)
        for pid in senders(stack)[:1]:
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(rows(stack, "ledger", LAGS)) == KILLS * FRESH, 400.0)
    lags = [lag for (lag,) in rows(stack, "ledger", LAGS)]
    stats = vendor.stats()
    print(
        f"fresh contacts, from insertion to coded: median {lags[len(lags) // 2]:.0f} s, worst {lags[-1]:.0f} s;"
        f" {sent_again(stats)} sent twice, peak {stats['peak_in_flight']}"
    )
    assert lags[-1] <= 180
    assert sent_again(stats) <= KILLS
    assert stats["peak_in_flight"] <= 2
