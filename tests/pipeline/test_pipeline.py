"""The DAG under the real scheduler, in the real pool, against a server and a warehouse of one's own."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from conftest import folder_in_memory
from sandbox_server import SandboxServer

from local.airflow_api import AirflowApi
from local.settings import Stack
from local.stack import DAG, airflow_api, start, stop
from sandbox.state import Stats

pytestmark = pytest.mark.slow

RUN = "manual__pipeline"
TIMEOUT = 240.0  # seconds
SEEDED = """
INSERT INTO contacted_customers
SELECT %s, %s, (%s + n)::text, '10', NULL, 'reached', %s FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished run, as each side tells it."""

    api: AirflowApi
    stack: Stack
    server: Stats

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        with psycopg.connect(self.stack.uri("ledger")) as ledger:
            return ledger.execute(statement.encode()).fetchall()

    def tasks(self, task_id: str) -> list[dict[str, Any]]:
        """Instances of a task."""
        found: list[dict[str, Any]] = self.api.get(f"/dags/{DAG}/dagRuns/{RUN}/taskInstances")["task_instances"]
        return [task for task in found if task["task_id"] == task_id]

    def xcom(self, task_id: str, map_index: int = -1) -> dict[str, Any]:
        """What a task returned."""
        path = f"/dags/{DAG}/dagRuns/{RUN}/taskInstances/{task_id}/xcomEntries/return_value"
        value: dict[str, Any] = self.api.get(f"{path}?map_index={map_index}&deserialize=true")["value"]
        return value


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    root = folder_in_memory("pipeline")
    with SandboxServer(latency=0.02) as server:
        settings = {
            "PATH": os.environ["PATH"],
            "AIRFLOW_PORT": free_port(),
            "SANDBOX_PORT": free_port(),
            "AIRFLOW_CONN_WOLKVOX_DEFAULT": server.connection(licenses=20),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # no run but the one that is looked at
        }
        stack = start(root, settings)
        try:
            # Out of reach of the scheduled run's look-back: only the triggered run has work.
            contacted = datetime.now(timezone.utc) - timedelta(hours=40)
            with psycopg.connect(stack.uri("warehouse")) as warehouse:
                warehouse.execute(SEEDED, ("predictive", "15502", 70_000, contacted, 501))
                warehouse.execute(SEEDED, ("preview", "15501", 80_000, contacted, 99))
                warehouse.execute(SEEDED, ("sms", "15501", 90_000, contacted, 3))
            api = airflow_api(stack)
            run(api, contacted)
            yield Ran(api, stack, server.stats())
        finally:
            stop(root)


def free_port() -> str:
    with socket.socket() as examine:
        examine.bind(("127.0.0.1", 0))
        return str(examine.getsockname()[1])


def run(api: AirflowApi, contacted: datetime) -> None:
    """Trigger the DAG for the contacts' hour and wait until it is done."""
    conf = {"window_start": contacted.isoformat(), "window_end": (contacted + timedelta(hours=1)).isoformat()}
    api.send("POST", f"/dags/{DAG}/dagRuns", {"dag_run_id": RUN, "logical_date": None, "conf": conf})
    api.send("PATCH", f"/dags/{DAG}", {"is_paused": False})
    deadline = time.monotonic() + TIMEOUT
    while (state := api.get(f"/dags/{DAG}/dagRuns/{RUN}")["state"]) not in ("success", "failed"):
        assert time.monotonic() < deadline, state
        time.sleep(0.5)
    assert state == "success"


def test_every_valid_contact_is_coded_exactly_once(ran: Ran) -> None:
    assert set(ran.server["calls_per_record"].values()) == {1}
    assert ran.server["codify_calls"] == ran.server["coded"] == 600
    assert ran.rows(
        "SELECT state, reason, attempts, count(*) FROM wolkvox.codification GROUP BY 1, 2, 3 ORDER BY 1"
    ) == [
        ("coded", None, 1, 600),
        ("invalid", "type_campaign_unknown", 0, 3),
    ]


def test_two_requests_are_in_flight_at_most_and_at_the_peak(ran: Ran) -> None:
    assert ran.server["peak_in_flight"] == 2


def test_a_task_opens_one_connection(ran: Ran) -> None:
    assert len(ran.tasks("codify")) == 2
    assert ran.server["connections"] == 2 + 1  # stage asks once for the day's requests


def test_xcom_ledger_and_server_agree(ran: Ran) -> None:
    summary = ran.xcom("verdict")
    tallies = [ran.xcom("codify", index) for index in range(2)]
    assert summary["coded"] == sum(tally["coded"] for tally in tallies) == ran.server["coded"] == 600
    assert summary["requests"] == sum(tally["requests"] for tally in tallies) == ran.server["codify_calls"]
    assert summary["invalid"] == 3
    assert (
        summary["quota_requests"] == ran.server["quota_used"] == 602
    )  # stage asks for the requests left, and for the campaigns


def test_two_workers_share_what_waits_and_the_grid_names_what_each_has_sent(ran: Ran) -> None:
    tallies = [ran.xcom("codify", index) for index in range(2)]
    assert sum(tally["records"] for tally in tallies) == 600
    assert min(tally["records"] for tally in tallies) > 150
    assert [task["rendered_map_index"] for task in sorted(ran.tasks("codify"), key=lambda task: task["map_index"])] == [
        f"chunk {tally['chunk']} · {tally['coded']} coded" for tally in tallies
    ]


def test_the_ledger_knows_the_run(ran: Ran) -> None:
    found = ran.rows(f"SELECT operation, dag_id, state, counts->>'coded' FROM wolkvox.run WHERE dag_run_id = '{RUN}'")
    assert found == [("0041", DAG, "success", "600")]


def test_airflow_has_no_import_errors_and_the_pool_has_two_slots(ran: Ran) -> None:
    assert ran.api.get("/importErrors")["total_entries"] == 0
    assert ran.api.get("/pools/wolkvox")["slots"] == 2
