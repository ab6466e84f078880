"""The DAG's own tasks, run by Airflow one after another against the ledger, a warehouse and the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.sdk import Context
from conftest import Database
from contact_rows import INSERT, row
from sandbox_server import SandboxServer

from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.options import read_options

DAG_FILE = Path(__file__).parents[2] / "dags" / "wolkvox_codify.py"


class Run:
    """A finished DAG run."""

    def __init__(self, run: Any) -> None:
        self.id: str = run.run_id
        self.state: str = run.state
        self._instances = sorted(run.get_task_instances(), key=lambda each: each.map_index)

    def xcom(self, task: str, key: str = "return_value") -> Any:
        """What a task returned or pushed; a list for the mapped one."""
        values = [
            each.xcom_pull(task_ids=task, key=key, map_indexes=each.map_index)
            for each in self._instances
            if each.task_id == task
        ]
        return values if task == "codify" else values[0]

    def states(self) -> dict[str, list[str]]:
        """The states of each task's instances."""
        found: dict[str, list[str]] = {"stage": [], "codify": [], "verdict": []}
        for each in self._instances:
            found[each.task_id].append(str(each.state))
        return found

    def labels(self) -> list[str]:
        """What the UI requests the instances of ``codify``."""
        return [each.rendered_map_index for each in self._instances if each.task_id == "codify"]


@pytest.fixture(scope="session")
def airflow_metadata() -> None:
    """Airflow's own tables, in the SQLite of the tests' AIRFLOW_HOME."""
    from airflow.utils.db import upgradedb

    upgradedb()


@pytest.fixture
def run_dag(
    airflow_metadata: None, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> Callable[..., Run]:
    """Runs ``wolkvox_codify`` to its end, as `airflow dags test` does."""
    from airflow.dag_processing.dagbag import DagBag

    def run(**params: Any) -> Run:
        dag = DagBag(DAG_FILE).dags["wolkvox_codify"]
        for task in dag.tasks:
            task.retries = 0
        return Run(dag.test(run_conf=params))

    return run


def fill(warehouse: Database, *contacts: Mapping[str, object]) -> None:
    """Insert contacts of a minute ago."""
    moment = datetime.now(timezone.utc) - timedelta(minutes=1)
    for changes in contacts:
        warehouse.execute(INSERT, *row(**{"contacted_at": moment, **changes}))


def states(ledger: Database) -> dict[str, int]:
    return dict(ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))


def everything(ledger: Database) -> list[list[tuple[Any, ...]]]:
    tables = ledger.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'wolkvox' ORDER BY 1")
    return [ledger.rows(f"SELECT * FROM wolkvox.{name} ORDER BY 1") for (name,) in tables]


def test_a_run_codes_every_valid_contact_once_and_xcom_ledger_and_server_agree(
    run_dag: Callable[..., Run], warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    now = datetime.now(timezone.utc)
    fill(warehouse, *({"customer_id": number} for number in range(50)), *({"customer_id": "p", "campaign_id": 18},) * 2)
    fill(warehouse, {"customer_id": 1, "contacted_at": now - timedelta(hours=2)})  # superseded by the later contact
    fill(warehouse, {"customer_id": "\u0085"}, {"type_campaign": "manual"}, {"cod_act": None})
    fill(warehouse, {"customer_id": "too old", "contacted_at": now - timedelta(hours=30)})
    sandbox.control(faults={"7": [{"kind": "status", "status": 500}], "8": [{"kind": "invalid_code"}]})
    run = run_dag()

    assert (run.state, run.states()) == (
        "success",
        {"stage": ["success"], "codify": ["success", "success"], "verdict": ["success"]},
    )
    assert [label.split(" · ")[0] for label in run.labels()] == ["chunk 1", "chunk 2"]
    assert states(ledger) == {"coded": 50, "rejected": 1, "superseded": 1, "invalid": 3}
    stats = sandbox.stats()
    assert (stats["coded"], stats["codify_calls"], stats["calls"], stats["connections"]) == (50, 52, 53, 2)
    assert stats["calls_per_record"]["preview/17/7"] == 2
    assert max(requests for record, requests in stats["calls_per_record"].items() if record != "preview/17/7") == 1

    tallies = sorted(run.xcom("codify"), key=lambda tally: -int(tally["records"]))  # Airflow begins either chunk first
    assert [tally["records"] for tally in tallies] == [51, 0], "one after the other here: whoever begins takes all"
    assert [tally["campaigns"] for tally in tallies] == [2, 0]
    assert sum(tally["coded"] for tally in tallies) == 50
    assert sum(tally["resent"] for tally in tallies) == 1
    summary = run.xcom("verdict")
    expected = {
        "pulled": 56,
        "new": 52,
        "invalid": 3,
        "known": 1,
        "superseded": 1,
        "records": 51,
        "chunks": 2,
        "campaigns": 2,
        "deferred": 0,
        "missing": 0,
        "suspended": [],
        "outage": None,
        "complaints": {},
        "coded": 50,
        "rejected": 1,
        "failed": 0,
        "pending": 0,
        "unknown": 0,
        "resent": 1,
        "moved": 0,
        "requests": 52,
        "failed_ratio": 0.0196,
        "stopped": None,
        "waiting": 0,
        "quota_requests": 53,
        "quota_limit": 20_000,
        "dry_run": False,
    }
    assert {name: summary[name] for name in expected} == expected


def test_a_window_is_sent_once_however_often_it_runs(
    run_dag: Callable[..., Run], warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, {"customer_id": "0052998123", "comment": 'tab\t "quote" 👍'}, {"customer_id": None})
    before = everything(ledger)
    dry = run_dag(dry_run=True)
    assert (dry.state, dry.states()["codify"]) == ("success", ["skipped"])
    assert (dry.xcom("verdict")["records"], dry.xcom("verdict")["invalid"]) == (1, 1)
    assert dry.xcom("verdict")["expected_minutes"] == 0.0
    assert (everything(ledger), sandbox.stats()["calls"]) == (before, 0)

    first, second = run_dag(), run_dag()
    assert (first.state, second.state) == ("success", "success")
    assert (second.xcom("verdict")["known"], second.xcom("verdict")["records"]) == (2, 0)
    assert sandbox.stats()["calls_per_record"] == {"preview/17/0052998123": 1}
    assert states(ledger) == {"coded": 1, "invalid": 1}


def test_a_run_with_too_many_refusals_is_red_and_still_says_what_it_did(
    run_dag: Callable[..., Run], warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, *({"customer_id": number} for number in range(6)))
    sandbox.control(unknown_customers=["1", "2", "3"])
    run = run_dag()
    assert (run.state, run.states()) == (
        "failed",
        {"stage": ["success"], "codify": ["success"], "verdict": ["failed"]},
    )
    assert (run.xcom("verdict")["rejected"], run.xcom("verdict")["failed_ratio"]) == (3, 0.5)

    sandbox.control(unknown_customers=[])
    again = run_dag(resend="not_found")
    assert (again.state, again.xcom("verdict")["reopened"], again.xcom("verdict")["coded"]) == ("success", 3, 3)
    assert states(ledger) == {"coded": 6}
    assert (
        ledger.rows("SELECT state, reason, response_msg FROM wolkvox.answer")
        == [("rejected", "not_found", "NO RECORDS FOUND")] * 3
    )


def test_when_the_days_calls_are_used_up_the_run_is_green_and_the_rest_waits(
    run_dag: Callable[..., Run], warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, *({"customer_id": number} for number in range(8)))
    sandbox.control(licenses=1, quota_used=994)
    run = run_dag()
    summary = run.xcom("verdict")
    assert run.state == "success"
    assert (summary["stopped"], summary["coded"], summary["waiting"], summary["quota_left"]) == ("quota", 5, 3, 0)
    assert states(ledger) == {"coded": 5, "pending": 3}
    assert sandbox.stats()["calls"] == 6


@pytest.mark.parametrize(
    ("connection", "params", "staged", "requests"),
    [
        ({"password": "no such token"}, {}, 2, {"calls": 0, "unauthorised": 1}),
        ({}, {"window_start": "2026-01-01T00:00:00Z", "window_end": "2026-02-02T00:00:00Z"}, 0, {"unauthorised": 0}),
    ],
)
def test_what_no_retry_can_mend_fails_at_once_with_nothing_lost(
    run_dag: Callable[..., Run],
    warehouse: Database,
    ledger: Database,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    connection: dict[str, str],
    params: dict[str, str],
    staged: int,
    requests: dict[str, int],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps({**json.loads(sandbox.connection()), **connection}))
    fill(warehouse, {"customer_id": 1}, {"customer_id": 2})
    run = run_dag(**params)
    assert (run.state, run.states()) == (
        "failed",
        {"stage": ["failed"], "codify": ["upstream_failed"], "verdict": ["failed"]},
    )
    assert states(ledger).get("pending", 0) == staged
    assert {name: sandbox.stats()[name] for name in requests} == requests  # type: ignore[literal-required]


@pytest.mark.parametrize(("run_type", "reaches_now"), [("asset_triggered", True), ("scheduled", False)])
def test_the_window_of_an_event_ends_when_stage_runs_by_the_ledgers_clock(
    ledger: Database, run_type: str, reaches_now: bool
) -> None:
    """``run_after`` is when the first event came: contacts came since, and their events made no run of their own."""
    first = datetime.now(timezone.utc) - timedelta(minutes=10)
    context = cast("Context", {"dag_run": SimpleNamespace(run_type=run_type, run_after=first)})
    stage = WolkvoxStageOperator(task_id="stage", sql="SELECT 1")
    window = stage._window(context, read_options({"lookback_hours": 2}, "UTC"))
    assert (datetime.now(timezone.utc) - window.end < timedelta(seconds=10)) is reaches_now
    assert window.end - window.start == timedelta(hours=2)


def test_the_trigger_is_told_what_a_run_staged(
    run_dag: Callable[..., Run], warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, {"customer_id": 1}, {"customer_id": 2})
    run = run_dag()
    assert ledger.rows("SELECT dag_id, cron, timezone, wake_seconds, row_count, fruitful FROM wolkvox.watch") == [
        ("wolkvox_codify", "*/15 * * * *", "America/Bogota", 5.0, 2, True)
    ]
    assert ledger.rows("SELECT began_by FROM wolkvox.run") == [("person",)]
    assert (run.xcom("verdict")["began_by"], run.xcom("verdict")["run_minutes"]) == ("person", 15.0)
