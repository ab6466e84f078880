"""Where the folder include/ was left behind, the built-in defaults run, and somebody is told of the others."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.sdk import DAG
from conftest import Database
from contact_rows import row
from crew import ZONE, task, verdict
from sandbox_server import SandboxServer

from wolkvox.cli.check.contacts import check_operations
from wolkvox.dag.operations import deployed_operations
from wolkvox.errors import BadSetting
from wolkvox.hook import WolkvoxHook
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.options import read_options
from wolkvox.rules.window import Window
from wolkvox.tasks.stage import Source, stage_run

DAGS = Path(__file__).parents[2] / "dags"


def stage(dag: str = "wolkvox_codify", *, is_built_in: bool = True) -> dict[str, Any]:
    """Stage one contact."""
    now = datetime.now(timezone.utc)
    source = Source([row(contacted_at=now)], ZONE, timedelta(days=31), 60.0, is_built_in=is_built_in)
    with WolkvoxHook() as wolkvox:
        window = Window(now - timedelta(days=1), now)
        return stage_run(task("run", dag), wolkvox, source, window, read_options({}, ZONE), 1_000)[1]


def firing(counts: dict[str, Any]) -> Any:
    summary, _ = verdict("run", counts, [])
    return summary["news"]["firing"].get("operations")


def checked() -> str:
    with DAG("wolkvox_codify", schedule=None):
        return check_operations(WolkvoxStageOperator(task_id="stage", is_built_in=True))


@pytest.fixture
def others(ledger: Database, sandbox: SandboxServer) -> Database:
    """A ledger in which two other operations staged contacts, and a DAG that is no entry's."""
    for dag in ("wolkvox_codify_sales", "wolkvox_codify_service", "somebodys_own"):
        stage(dag, is_built_in=False)
    return ledger


def test_a_run_with_the_built_in_defaults_tells_which_operations_may_be_gone(others: Database) -> None:
    assert firing(stage()).startswith(
        "No operations.yaml is beside the DAGs, so this one has the built-in defaults, and wolkvox_codify_sales,"
        " wolkvox_codify_service may be gone without an import error: deploy the folder include/"
    )


def test_check_fails_with_the_same_words(others: Database) -> None:
    with pytest.raises(BadSetting, match="wolkvox_codify_sales, wolkvox_codify_service may be gone"):
        checked()


def test_nobody_is_told_where_there_is_a_file_or_no_other_operation(others: Database) -> None:
    assert firing(stage(is_built_in=False)) is None
    others.execute("DELETE FROM wolkvox.watch WHERE dag_id LIKE 'wolkvox_codify_%%'")
    assert firing(stage()) is None
    assert checked() == "no operations.yaml beside the DAGs: the built-in defaults apply"


def test_an_operation_that_was_given_up_is_forgotten_after_a_month(others: Database) -> None:
    others.execute("UPDATE wolkvox.watch SET stage_began_at = now() - interval '32 days'")
    assert firing(stage()) is None


@pytest.mark.parametrize("entry", [None, "default:\n", "", "sales:\n"])
def test_the_dag_knows_whether_there_is_a_file(tmp_path: Path, entry: str | None) -> None:
    from airflow.dag_processing.dagbag import DagBag

    dags = Path(shutil.copytree(DAGS, tmp_path / "dags"))
    if entry is not None:
        (dags / "operations.yaml").write_text(entry)
    bag = DagBag(dags / "wolkvox_codify.py")
    assert bag.import_errors == {}
    (dag,) = bag.dags.values()
    assert cast("WolkvoxStageOperator", dag.get_task("stage")).is_built_in is (entry is None)
    assert [one.is_built_in for one in deployed_operations(dags).all] == [entry is None]
