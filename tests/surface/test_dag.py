"""The DAG files: they parse anywhere, and keep to what this deployment promises of every DAG."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError

from wolkvox.dag.schedule import schedule_of
from wolkvox.notifier import WolkvoxAlert
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.schedule import Schedule

ROOT = Path(__file__).parents[2]
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))

ALONE = """
import runpy, socket, sys

def refuse(*_):
    raise AssertionError("a DAG file that is parsed has no business on the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
runpy.run_path(sys.argv[1])
print(sorted(name for name in ("psycopg", "wolkvox.hook", "wolkvox.ledger") if name in sys.modules))
"""


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    """All DAGs of the folder, after Airflow found nothing wrong with any."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "dags", known_pools={"default_pool", "wolkvox"})
    assert bag.import_errors == {}
    assert bag.captured_warnings == {}
    return dict(bag.dags)


@pytest.fixture(scope="module")
def codify(dags: dict[str, DAG]) -> DAG:
    return dags["wolkvox_codify"]


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_parsed_without_database_network_or_drivers(path: Path, tmp_path: Path) -> None:
    nowhere = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/none"}
    environment = {**os.environ, **nowhere, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "plugins")}
    done = subprocess.run([sys.executable, "-c", ALONE, path], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr


def test_every_dag_has_what_its_reader_needs(dags: dict[str, DAG]) -> None:
    assert dags.keys() == {"wolkvox_codify", "wolkvox_retention", "wolkvox_audit"}
    for dag in dags.values():
        assert dag.doc_md is not None
        assert "When it is red" in dag.doc_md
        assert dag.description
        assert dag.tags
        assert {task.owner for task in dag.tasks} == {"data-engineering"}


def test_no_dag_runs_for_the_past_and_only_codify_runs_beside_itself(dags: dict[str, DAG]) -> None:
    assert {dag.catchup for dag in dags.values()} == {False}
    assert {name: dag.max_active_runs for name, dag in dags.items()} == {
        "wolkvox_codify": 4,
        "wolkvox_retention": 1,
        "wolkvox_audit": 1,
    }


def test_a_warehouse_that_never_answers_holds_up_the_other_runs_for_an_hour_at_most(codify: DAG) -> None:
    assert codify.get_task("stage").execution_timeout == timedelta(minutes=60)


def test_what_ends_each_dag_tells_people_when_it_is_red(dags: dict[str, DAG]) -> None:
    last = {"wolkvox_codify": "verdict", "wolkvox_audit": "audit", "wolkvox_retention": "forget"}
    for name, task in last.items():
        callbacks: Any = dags[name].get_task(task).on_failure_callback
        assert [type(one) for one in callbacks] == [WolkvoxAlert], name


def test_only_codify_tasks_have_a_pool_of_their_own(dags: dict[str, DAG]) -> None:
    assert {task.task_id: task.pool for dag in dags.values() for task in dag.tasks} == {
        "stage": "default_pool",
        "codify": "wolkvox",
        "verdict": "default_pool",
        "forget": "default_pool",
        "audit": "default_pool",
    }


def test_a_run_begins_when_there_is_work_and_every_quarter_of_an_hour(codify: DAG) -> None:
    timetable: Any = codify.timetable
    assert isinstance(timetable, AssetOrTimeSchedule)
    assert isinstance(timetable.timetable, CronDataIntervalTimetable)
    assert schedule_of(codify) == Schedule("*/15 * * * *", "America/Bogota", 5.0)
    work: Any = timetable.asset_condition
    (watcher,) = work.watchers
    assert watcher.trigger.serialize() == (
        "wolkvox.triggers.WorkTrigger",
        {
            "dag_id": "wolkvox_codify",
            "sql": (ROOT / "include" / "sql" / "contacted_customers.sql").read_text(),
            "warehouse_conn_id": "warehouse",
            "ledger_conn_id": "wolkvox_ledger",
            "timezone": "America/Bogota",
            "wake": 5.0,
        },
    )


def test_the_tasks_follow_one_another_and_the_verdict_falls_whatever_happens(codify: DAG) -> None:
    assert {task.task_id: sorted(task.downstream_task_ids) for task in codify.tasks} == {
        "stage": ["codify"],
        "codify": ["verdict"],
        "verdict": [],
    }
    assert codify.get_task("verdict").trigger_rule == "all_done"
    assert (codify.get_task("codify").is_mapped, codify.get_task("codify").pool) == (True, "wolkvox")
    assert [asset.name for asset in codify.get_task("verdict").outlets] == ["wolkvox_codification"]
    assert {task.task_id: task.retries for task in codify.tasks} == {"stage": 1, "codify": 0, "verdict": 1}


def test_the_params_have_defaults(codify: DAG) -> None:
    assert codify.params.dump() == {
        "window_start": None,
        "window_end": None,
        "lookback_hours": 24,
        "run_minutes": None,
        "limit": None,
        "dry_run": False,
        "max_failed_ratio": 0.05,
        "customer_id": None,
        "resend": "none",
    }


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("window_start", [None, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00-05:00"], [5, True]),
        ("window_end", [None, "2026-03-01T00:00:00Z"], [5, True]),
        ("lookback_hours", [0, 0.5, 720], [-1, 721, None, "a day"]),
        ("run_minutes", [None, 0.5, 90], [0, -1, 91, "all"]),
        ("limit", [None, 1, 10**6], [0, -1, 1.5, "all"]),
        ("dry_run", [True, False], ["yes", None]),
        ("max_failed_ratio", [0, 0.05, 1], [-0.1, 1.1, "5%"]),
        ("customer_id", [None, "1001", "A-7 ñ"], [1001, True, "x" * 101]),
        ("resend", ["none", "failed", "rejected", "unknown_timeout"], ["", None, "failed'; --", "Failed"]),
    ],
)
def test_a_param_is_refused_outside_its_bounds(codify: DAG, name: str, good: list[object], bad: list[object]) -> None:
    param = codify.params.get_param(name)
    assert [param.resolve(value) for value in good] == good
    for value in bad:
        with pytest.raises(ParamValidationError):
            param.resolve(value)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """The DAGs folder as managed Airflows take it, with nothing beside it."""
    return Path(shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__")))


def bag_of(folder: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(folder)


def query_of(dag: DAG) -> str:
    stage = dag.get_task("stage")
    assert isinstance(stage, WolkvoxStageOperator)
    stage.resolve_template_files()
    return str(stage.sql)


def test_what_was_not_deployed_beside_the_dags_is_in_the_package(alone: Path) -> None:
    assert "FROM contacted_customers" in query_of(bag_of(alone).dags["wolkvox_codify"])


def test_a_query_in_the_dags_folder_wins_over_the_packages(alone: Path) -> None:
    (alone / "sql").mkdir()
    (alone / "sql" / "contacted_customers.sql").write_text("SELECT 1 -- mine")
    assert query_of(bag_of(alone).dags["wolkvox_codify"]) == "SELECT 1 -- mine"


def test_a_query_that_was_not_deployed_is_named_with_the_place_it_belongs_to() -> None:
    with DAG("without_query"):
        stage = WolkvoxStageOperator(task_id="stage", sql="sql/none.sql")
    with pytest.raises(AirflowFailException, match=r"query sql/none\.sql is not beside the DAGs"):
        stage.render_template_fields({})


TWO = """
default:
sales:
  wake: 30
  schedule: "*/5 8-20 * * *"
  timezone: America/Santiago
  run_minutes: 3
  lookback_hours: 2
  max_failed_ratio: 0.5
  latest_end_minutes: 30
  warehouse_conn_id: lake
  thresholds: {refusals: 0.5}
  alert_to: [ana@example.com]
  alert_webhook: pager
  results_table: analytics.results
"""


def test_each_operation_has_a_dag_of_its_own(alone: Path) -> None:
    (alone / "operations.yaml").write_text(TWO)
    bag = bag_of(alone)
    assert bag.import_errors == {}
    assert bag.dags.keys() == {
        "wolkvox_codify",
        "wolkvox_codify_sales",
        "wolkvox_retention",
        "wolkvox_audit",
        "wolkvox_audit_sales",
    }
    sales = bag.dags["wolkvox_codify_sales"]
    assert schedule_of(sales) == Schedule("*/5 8-20 * * *", "America/Santiago", 30)
    (watcher,) = sales.timetable.asset_condition.watchers
    assert (watcher.name, watcher.trigger.dag_id, watcher.trigger.warehouse_conn_id) == (
        "wolkvox_work_sales",
        "wolkvox_codify_sales",
        "lake",
    )
    assert (sales.params["run_minutes"], sales.params["lookback_hours"], sales.params["max_failed_ratio"]) == (
        3,
        2,
        0.5,
    )
    stage, codify, verdict = (sales.get_task(name) for name in ("stage", "codify", "verdict"))
    assert (stage.wolkvox_conn_id, stage.warehouse_conn_id, stage.operation, stage.timezone) == (
        "wolkvox_sales",
        "lake",
        "sales",
        "America/Santiago",
    )
    worker = codify.unmap({"chunk": {}})
    assert (worker.pool, worker.wolkvox_conn_id, worker.operation) == ("wolkvox_sales", "wolkvox_sales", "sales")
    assert (verdict.operation, verdict.thresholds.refusals) == ("sales", 0.5)
    assert [asset.name for asset in verdict.outlets] == ["wolkvox_codification_sales"]
    results = sales.get_task("results")
    assert (results.table, results.warehouse_conn_id, results.operation) == ("analytics.results", "lake", "sales")
    assert (results.upstream_task_ids, results.downstream_task_ids) == ({"codify"}, set())
    alerts = (*verdict.on_failure_callback, *verdict.on_success_callback)
    assert [(alert.to, alert.webhook) for alert in alerts] == [(["ana@example.com"], "pager")] * 2
    (deadline,) = sales.deadline
    assert (deadline.interval.total_seconds(), deadline.callback.kwargs) == (
        1_800,
        {"to": ["ana@example.com"], "webhook": "pager"},
    )
    usual = bag.dags["wolkvox_codify"].get_task("stage")
    assert (usual.wolkvox_conn_id, usual.operation, usual.refused) == ("wolkvox_default", None, None)


REPORTS = """
default:
sales:
  timezone: America/Santiago
  alert_to: [luis@example.com]
  report_to: Ana <ana@example.com>
  language: es
broken:
  report_to: [ana@example.com]
  language: fr
"""


def test_who_subscribes_has_a_dag_that_reports_each_morning_and_nobody_else(alone: Path) -> None:
    (alone / "operations.yaml").write_text(REPORTS)
    dags = bag_of(alone).dags
    assert {name for name in dags if "report" in name} == {"wolkvox_report_sales"}
    dag = dags["wolkvox_report_sales"]
    assert "When it is red" in (dag.doc_md or "")
    assert (dag.timetable.expression, str(dag.timetable.timezone)) == ("0 6 * * *", "America/Santiago")
    assert (dag.catchup, dag.max_active_runs, dag.is_paused_upon_creation) == (False, 1, False)
    report = dag.get_task("report")
    assert (report.to, report.language, report.operation) == (["Ana <ana@example.com>"], "es", "sales")
    assert report.wolkvox_conn_id == "wolkvox_sales"
    assert [alert.to for alert in report.on_failure_callback] == [["luis@example.com"]]


def test_without_a_trigger_the_cron_alone_begins_runs(alone: Path) -> None:
    (alone / "operations.yaml").write_text("default:\n  wake: off\n")
    codify = bag_of(alone).dags["wolkvox_codify"]
    assert isinstance(codify.timetable, CronDataIntervalTimetable)
    assert schedule_of(codify) == Schedule("*/1 * * * *", "America/Bogota", None)


def test_an_operation_that_cannot_run_is_not_polled_for(alone: Path) -> None:
    (alone / "operations.yaml").write_text("default:\n  pool: 5\n")
    assert schedule_of(bag_of(alone).dags["wolkvox_codify"]).wake is None


def test_a_mistake_in_one_operation_is_an_import_error_and_its_dag_says_why_while_the_others_are_there(
    alone: Path,
) -> None:
    (alone / "operations.yaml").write_text("default:\nsales:\n  scheduel: x\nservice:\n  pool: 'one\n")
    bag = bag_of(alone)
    ((file, words),) = bag.import_errors.items()
    assert Path(file).name == "wolkvox_operations.py"
    assert "line 3, sales.scheduel: there is no such key: did you mean schedule?" in words
    assert "line 6, service: this is no YAML" in words
    assert bag.dags.keys() == {
        "wolkvox_codify",
        "wolkvox_codify_sales",
        "wolkvox_codify_service",
        "wolkvox_retention",
        "wolkvox_audit",
    }
    assert bag.dags["wolkvox_codify"].get_task("stage").refused is None
    stage = bag.dags["wolkvox_codify_sales"].get_task("stage")
    with pytest.raises(AirflowFailException, match=r"operations.yaml line 3, sales.scheduel"):
        stage.execute({"params": {}})
