"""The DAG in Airflow's own hands: what a bad token does, what is written where, and several runs at once."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from crew import Crew, connect, fill, stage, states, wait_until
from sandbox_server import SandboxServer

from wolkvox.rules.retry_policy import RetryPolicy

BIN = Path(sys.executable).parent
DAG = "wolkvox_codify"


@dataclass(frozen=True)
class Airflow:
    """An Airflow home and a metadata database of this module's own."""

    home: Path
    metadata: Database
    address: str

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Run an Airflow command, all it says in one stream."""
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.address,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        return subprocess.Popen(
            [str(BIN / "airflow"), *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str) -> str:
        """Run an Airflow command to its end, whatever that is; what it said."""
        return self.start(*command).communicate(timeout=200)[0]

    def tasks(self, run_id: str = "%") -> list[tuple[Any, ...]]:
        """Task, state and number of tries of a run's instances."""
        return self.metadata.rows(
            "SELECT task_id, state, try_number FROM task_instance WHERE run_id LIKE %s ORDER BY start_date, map_index",
            run_id,
        )

    def tables_with(self, text: str) -> list[str]:
        """Tables of the metadata database that hold this text anywhere."""
        tables = self.metadata.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [
            table
            for (table,) in tables
            if self.metadata.value(f'SELECT count(*) FROM "{table}" AS each WHERE strpos(each::text, %s) > 0', text)
        ]


@pytest.fixture(scope="module")
def airflow(postgres_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    name = "airflow_of_the_faults"
    Database(postgres_socket, "postgres").execute(f"CREATE DATABASE {name}")
    address = f"postgresql+psycopg2://postgres@/{name}?host={postgres_socket}"
    airflow = Airflow(tmp_path_factory.mktemp("airflow"), Database(postgres_socket, name), address)
    assert "Database migration done" in airflow.run("db", "migrate")
    return airflow


@pytest.mark.minutes
def test_a_bad_token_is_one_call_and_a_task_that_failed_without_retries(
    airflow: Airflow,
    ledger: Database,
    warehouse: Database,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandbox, "token", "a-token-of-the-past")
    connect(sandbox)
    fill(warehouse, 50)
    said = airflow.run("dags", "test", DAG)
    assert "wolkvox refused the token of connection 'wolkvox_default' (code 403)" in said
    assert (sandbox.stats()["unauthorised"], sandbox.stats()["calls"]) == (1, 0)
    assert states(ledger) == {"pending": 50}
    assert airflow.tasks() == [("stage", "failed", 1), ("codify", "upstream_failed", 0), ("verdict", "failed", 1)]


CUSTOMER, COMMENT = "marked-customer-", "marked-comment-"


def marked_contacts(warehouse: Database) -> None:
    """Contacts that are sent, refused and unsendable, each with a customer id and a comment to look for."""
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT CASE WHEN n = 9 THEN 'sms' ELSE 'preview' END, '17', %s || n, '5',"
        " NULL, %s || n || CASE WHEN n = 10 THEN repeat('x', 5001) ELSE '' END, now() - n * interval '1 second'"
        " FROM generate_series(1, 12) AS n",
        CUSTOMER,
        COMMENT,
    )


FAULTS: dict[str, list[dict[str, Any]]] = {
    f"{CUSTOMER}1": [{"kind": "status", "status": 500, "msg": f"{CUSTOMER}1 {COMMENT}1"}],
    f"{CUSTOMER}2": [{"kind": "status", "status": 422, "msg": f"customer_id {CUSTOMER}2 is wrong"}],
    f"{CUSTOMER}3": [{"kind": "reset_after"}],
    f"{CUSTOMER}4": [{"kind": "truncated"}],
    f"{CUSTOMER}5": [{"kind": "not_found"}],
    f"{CUSTOMER}6": [{"kind": "concurrency"}],
}


def failures(crew: Crew, sandbox: SandboxServer, ledger: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every way in which a codify task ends badly; the errors' names."""
    chunks, _ = stage("failures", resend="rejected")
    chunk = chunks[0]
    ended = []
    impatient = RetryPolicy(tries=2, outages=2, refusals=2, first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
    for kind in ("maintenance", "html_200", "not_found"):
        sandbox.control(faults={}, default_fault=[{"kind": kind, "repeat": True}])
        ended.append(crew.codify(chunk, request_retries=impatient))
        ended[-1].result()
        ledger.execute("DELETE FROM wolkvox.circuit_breaker")
        ledger.execute("DELETE FROM wolkvox.suspended_campaign")
        ledger.execute(
            "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, not_before = NULL, attempts = 0"
            " WHERE dag_run_id = 'failures'"
        )
    connect(sandbox, call_timeout=20)
    sandbox.control(default_fault=[{"kind": "slow", "seconds": 10.0}])  # longer than another task takes to start
    for late in chunks:
        ended.append(crew.codify(late))
    wait_until(lambda: sandbox.stats()["in_flight"] == 2)
    ended.append(crew.codify(chunk, lease_timeout=0.2))
    ended[-1].result()
    for worker in ended[-3:-1]:
        worker.terminate()
    for worker in ended[-3:-1]:
        worker.result()
    connect(sandbox, call_timeout=3)
    sandbox.control(default_fault=None)
    ledger.execute("ALTER TABLE wolkvox.codification ADD CONSTRAINT never CHECK (state <> 'coded') NOT VALID")
    ended.append(crew.codify(chunk))
    ended[-1].result()
    monkeypatch.setattr(sandbox, "token", sandbox.token[::-1])
    connect(sandbox, call_timeout=3)
    ended.append(crew.codify(chunk))
    return [worker.result().get("error", "none") for worker in ended]


def test_no_log_no_xcom_and_no_rendered_field_holds_a_token_a_customer_or_a_comment(
    airflow: Airflow,
    ledger: Database,
    warehouse: Database,
    sandbox: SandboxServer,
    crew: Crew,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(sandbox, call_timeout=3)
    token = sandbox.token
    sandbox.control(faults=FAULTS)
    marked_contacts(warehouse)
    said = airflow.run("dags", "test", DAG, "--conf", '{"max_failed_ratio": 0}')
    assert "records 2 were rejected and" in said
    assert states(ledger) == {"coded": 7, "rejected": 2, "pending": 2, "invalid": 1}
    assert failures(crew, sandbox, ledger, monkeypatch) == [
        "BreakerOpen",
        "BreakerOpen",
        "none",
        "Stopped",
        "Stopped",
        "NoFreeSlot",
        "WolkvoxError",
        "BadToken",
    ]
    written = {"what `dags test` said": said}
    written |= {str(path): path.read_text() for path in airflow.home.rglob("*.log")}
    written |= {str(path): path.read_text() for worker in crew.workers for path in worker.home.iterdir()}
    assert len(written) == 1 + 2 * 8
    for secret in (token, sandbox.token, CUSTOMER, COMMENT):
        assert [name for name, text in written.items() if secret in text] == []
        assert airflow.tables_with(secret) == []
    assert set(airflow.tables_with("chunk_id")) >= {"xcom", "rendered_task_instance_fields"}


@pytest.mark.minutes
def test_two_dag_runs_and_a_task_by_hand_at_once_keep_to_two_in_flight_and_to_the_quota(
    airflow: Airflow, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    sandbox.control(licenses=1, quota_used=500, day="2026-03-02", latency=0.02)
    connect(sandbox, licenses=1, quota_timezone="Etc/GMT+12", call_timeout=5)
    fill(warehouse, 1_200)
    now = datetime.now(timezone.utc)
    moments = [(now - timedelta(minutes=minutes)).isoformat() for minutes in (0, 1, 2)]
    running = [airflow.start("dags", "test", DAG, moment) for moment in moments[:2]]
    running.append(airflow.start("tasks", "test", DAG, "stage", moments[2]))
    for process in running:
        print(process.communicate(timeout=240)[0])
    stats = sandbox.stats()
    assert stats["quota_used"] <= 1_000
    assert "403" not in stats["calls_by_status"]
    assert stats["peak_in_flight"] <= 2
    assert set(stats["calls_per_record"].values()) == {1}
    for hours in (0, 1):
        airflow.run("dags", "test", DAG, (now + timedelta(hours=hours)).isoformat())
    assert sandbox.stats()["calls"] == 500
    assert sandbox.stats()["quota_used"] == 1_000

    sandbox.control(day="2026-03-03")
    connect(sandbox, licenses=1, quota_timezone="Etc/GMT-14", call_timeout=5)
    airflow.run("dags", "test", DAG, (now + timedelta(hours=2)).isoformat())
    assert states(ledger) == {"coded": 1_200}
    assert set(sandbox.stats()["calls_per_record"].values()) == {1}
    assert sandbox.stats()["peak_in_flight"] <= 2
