"""``python -m wolkvox status``: the page's first line and figures, for a terminal and for programs."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, validate

from wolkvox.__main__ import main
from wolkvox.airflow_core.dags import DagState
from wolkvox.cli import status
from wolkvox.page.reading import first_screen

if TYPE_CHECKING:
    from conftest import Database
    from sandbox_server import SandboxServer

SCHEMA = Path(__file__).parents[2] / "include" / "schemas" / "status.json"
VENDOR_MESSAGE = "no record of 573001234567"


@pytest.fixture(autouse=True)
def deployed(ledger: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DAG that isn't paused, and whose last run ended well a minute ago; Airflow's own database is played."""
    monkeypatch.setattr(status, "first_screen", partial(first_screen, airflow=lambda dag_id: DagState(False, None)))
    ledger.execute(
        "INSERT INTO wolkvox.dag (dag_id, operation, wolkvox_conn_id, begun_at)"
        " VALUES ('sales', '0041', 'wolkvox_default', now())"
    )
    ledger.execute(
        "INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, began_at, ended_at, state, window_start, window_end)"
        " VALUES ('0041', 'sales', 'run', now() - interval '2 minutes', now() - interval '1 minute', 'success',"
        " now() - interval '1 hour', now())"
    )
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, state,"
        " contacted_at) VALUES (gen_random_uuid(), '0041', 'preview', '17', '573001234567', 'pending', now())"
    )


def asked(capsys: pytest.CaptureFixture[str], dag_id: str | None = None) -> tuple[object, dict[str, Any]]:
    """The exit status and the JSON."""
    ended = status.run(Namespace(json=True, schema=False, dag_id=dag_id))
    return ended, json.loads(capsys.readouterr().out or "{}")


def suspend(ledger: Database) -> None:
    """Suspend a campaign, with a message of the vendor's."""
    ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, message, since, until)"
        " VALUES ('0041', 'preview', '17', 'not_found', %s, now(), now() + interval '1 hour')",
        VENDOR_MESSAGE,
    )


def test_all_is_well_and_the_exit_status_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    ended, said = asked(capsys)
    (dag,) = said["dags"]
    assert (ended, said["version"], said["level"], dag["level"], dag["findings"]) == (0, 1, "well", "well", [])
    assert (dag["dag_id"], dag["operation"], dag["last_state"]) == ("sales", "0041", "success")
    assert (dag["today"]["waiting"], dag["today"]["coded"]) == (1, 0)


def test_what_is_bad_on_the_page_is_bad_here_and_the_exit_status_is_1(
    ledger: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.execute("UPDATE wolkvox.run SET state = 'failed'")
    ended, said = asked(capsys)
    (found,) = said["dags"][0]["findings"]
    assert (ended, said["level"], found["name"], found["level"]) == (1, "bad", "failed", "bad")


def test_what_needs_a_look_only_is_said_and_no_failure(ledger: Database, capsys: pytest.CaptureFixture[str]) -> None:
    suspend(ledger)
    ended, said = asked(capsys)
    assert (ended, said["level"], [one["name"] for one in said["dags"][0]["findings"]]) == (0, "look", ["suspended"])


def test_the_json_is_what_its_schema_says_and_names_no_customer(
    ledger: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    suspend(ledger)
    _, said = asked(capsys)
    validate(said, status.status_schema())
    assert said["dags"][0]["suspended"][0]["reason"] == "not_found"
    assert "573001234567" not in json.dumps(said)


def test_the_schema_in_the_repository_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status.run(Namespace(schema=True)) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert json.loads(SCHEMA.read_text()) == schema, "make it anew: python -m wolkvox status --schema"


def test_a_terminal_gets_a_line_a_dag(capsys: pytest.CaptureFixture[str]) -> None:
    assert status.run(Namespace(json=False, schema=False, dag_id=None)) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("ok   sales (0041): all is well; 1 waiting")


def test_a_dag_that_the_ledger_does_not_know_is_no_silent_success(capsys: pytest.CaptureFixture[str]) -> None:
    ended, _ = asked(capsys, "other")
    assert ended == "The ledger knows no DAG 'other' that has staged contacts."


@pytest.mark.parametrize("name", ["WOLKVOX_LEDGER", "WOLKVOX_DEFAULT"])
def test_a_connection_that_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(f"AIRFLOW_CONN_{name}")
    monkeypatch.setattr(sys, "argv", ["wolkvox", "status"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert name.lower() in str(ended.value.code)
    assert "\n" not in str(ended.value.code)
