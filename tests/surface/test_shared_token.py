"""What `check` says of DAGs that share a token."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from conftest import Database

from wolkvox.cli.check.token import check_shared_token
from wolkvox.operators import WolkvoxStageOperator

TOKEN = "t0ken-of-both"


def stage(dag_id: str, monkeypatch: pytest.MonkeyPatch, **extra: object) -> WolkvoxStageOperator:
    """The task of a DAG that has a connection of its own, with the same token."""
    connection = {"conn_type": "wolkvox", "password": TOKEN, "extra": {"wolkvox_server": "0041", **extra}}
    monkeypatch.setenv(f"AIRFLOW_CONN_WOLKVOX_{dag_id.upper()}", json.dumps(connection))
    with DAG(dag_id):
        return WolkvoxStageOperator(task_id="stage", sql="SELECT 1", wolkvox_conn_id=f"wolkvox_{dag_id}")


def test_two_dags_whose_connections_disagree_are_told_on_both_lines(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = [stage("sales", monkeypatch, licenses=20), stage("service", monkeypatch, licenses=1)]
    for one in stages:
        (finding,) = check_shared_token(one, stages)
        assert (finding.name, finding.ok) == (f"{one.dag_id} token", False)
        for words in ("'wolkvox_sales' says 20000 requests", "'wolkvox_service' says 1000 requests", "licenses"):
            assert words in finding.message
        assert TOKEN not in finding.message


def test_two_dags_whose_connections_agree_are_told_so(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = [stage("sales", monkeypatch, licenses=20), stage("service", monkeypatch, licenses="20")]
    (finding,) = check_shared_token(stages[0], stages)
    assert (finding.ok, finding.message) == (True, "shared with service, which count its requests alike")


def test_a_dag_elsewhere_that_shares_the_ledger_counts_as_it_ran_last(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = stage("sales", monkeypatch, licenses=20)
    ledger.execute(
        "INSERT INTO wolkvox.dag (dag_id, operation, wolkvox_conn_id, fingerprint, daily_requests, quota_reserve,"
        " quota_timezone, staged_at) VALUES ('far', 'far', 'wolkvox_far', %s, 1000, 0, 'America/Bogota', now())",
        sales.wolkvox().settings.fingerprint,
    )
    (finding,) = check_shared_token(sales, [sales])
    assert (finding.ok, "(DAG 'far')" in finding.message) == (False, True)


def test_a_token_of_ones_own_has_no_line_nor_has_what_can_not_be_known(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = stage("sales", monkeypatch, licenses=20)
    assert list(check_shared_token(sales, [sales])) == []
    wrong = stage("service", monkeypatch, licenses="many")
    assert list(check_shared_token(sales, [sales, wrong])) == []
    assert list(check_shared_token(wrong, [sales, wrong])) == []
