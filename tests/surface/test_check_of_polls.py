"""What the deployer's check says of a DAG's trigger."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG, Asset, AssetWatcher
from conftest import Database
from watching import new_process, trigger

from wolkvox.cli.check import runs
from wolkvox.errors import WolkvoxError
from wolkvox.operators import WolkvoxStageOperator

__all__ = ["new_process"]


@pytest.fixture
def stage() -> WolkvoxStageOperator:
    """The stage of a DAG with a trigger."""
    work = Asset("work", watchers=[AssetWatcher(name="work", trigger=trigger())])
    with DAG("wolkvox_codify", schedule=work):
        return WolkvoxStageOperator(task_id="stage", sql="SELECT 1")


@pytest.fixture(autouse=True)
def unpaused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "is_paused", lambda _: False)


def noted(ledger: Database, seconds: float) -> None:
    """The last poll that worked was so many seconds ago."""
    ledger.execute(
        "INSERT INTO wolkvox.watch (dag_id, polled_at) VALUES ('wolkvox_codify', now() - %s * interval '1 second')",
        seconds,
    )


def test_a_trigger_that_polls_is_well(ledger: Database, stage: WolkvoxStageOperator) -> None:
    noted(ledger, 60)
    assert runs.check_polls(stage) == "polls for work every 5 s"


@pytest.mark.parametrize("seconds", [301, 86_400])
def test_a_trigger_that_no_longer_polls_is_told_with_what_to_do(
    ledger: Database, stage: WolkvoxStageOperator, seconds: float
) -> None:
    noted(ledger, seconds)
    with pytest.raises(WolkvoxError, match=r"has worked since 20.*only the cron begins runs. See that `airflow trigg"):
        runs.check_polls(stage)


def test_a_warehouse_that_no_poll_can_count_is_told_with_what_to_do(
    ledger: Database, stage: WolkvoxStageOperator
) -> None:
    noted(ledger, 60)
    ledger.execute("UPDATE wolkvox.watch SET staged_at = now()")
    with pytest.raises(WolkvoxError, match=r"could not count .* only the cron finds them.* in brackets"):
        runs.check_polls(stage)
    ledger.execute("UPDATE wolkvox.watch SET since = now(), row_count = 0")
    assert runs.check_polls(stage) == "polls for work every 5 s"
    stage.sql = None  # the contacts are handed over as records
    ledger.execute("UPDATE wolkvox.watch SET since = NULL, row_count = NULL")
    assert runs.check_polls(stage) == "polls for work every 5 s"


@pytest.mark.parametrize(
    "sql", ["SELECT '{{ ds }}'", "{% if true %} SELECT 1 {% endif %}", "SELECT 1 {# ours #}", None]
)
def test_a_query_that_only_stage_can_ask_is_said_to_wait_for_the_schedule(ledger: Database, sql: str | None) -> None:
    """The last stage may have counted: that is no help, for no poll does."""
    work = Asset("work", watchers=[AssetWatcher(name="work", trigger=trigger(sql))])
    with DAG("wolkvox_codify", schedule=work):
        stage = WolkvoxStageOperator(task_id="stage", sql=sql or "SELECT 1")
    noted(ledger, 60)
    said = runs.check_polls(stage)
    assert said.startswith("polls the ledger alone every 5 s: ")
    assert "New contacts wait for the next run of the schedule." in said


def test_a_query_that_one_of_two_triggers_can_ask_is_asked(ledger: Database) -> None:
    watchers = [
        AssetWatcher(name=name, trigger=trigger(sql)) for name, sql in (("one", "{{ x }}"), ("two", "SELECT 1"))
    ]
    with DAG("wolkvox_codify", schedule=Asset("work", watchers=watchers)):
        stage = WolkvoxStageOperator(task_id="stage", sql="SELECT 1")
    noted(ledger, 60)
    assert runs.check_polls(stage) == "polls for work every 5 s"


def test_a_trigger_that_never_polled_is_told(ledger: Database, stage: WolkvoxStageOperator) -> None:
    with pytest.raises(WolkvoxError, match="has worked ever"):
        runs.check_polls(stage)


@pytest.mark.parametrize("paused", [True, None])
def test_a_paused_dag_misses_no_trigger(
    ledger: Database, stage: WolkvoxStageOperator, monkeypatch: pytest.MonkeyPatch, paused: bool | None
) -> None:
    monkeypatch.setattr(runs, "is_paused", lambda _: paused)
    assert runs.check_polls(stage) == "polls for work every 5 s once the DAG is unpaused"


def test_a_dag_without_a_trigger_misses_none() -> None:
    with DAG("wolkvox_codify", schedule=None):
        stage = WolkvoxStageOperator(task_id="stage", sql="SELECT 1")
    assert runs.check_polls(stage) == "no trigger: the schedule alone begins runs"
