"""New code waits for the ledger that it needs: what pods of Kubernetes do before they begin."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from conftest import Database

from wolkvox.errors import LedgerUnavailable
from wolkvox.ledger.migrate import migrate, wait_until_migrated


@pytest.fixture
def empty(warehouse: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database without a ledger, known to Airflow as ``wolkvox_ledger``."""
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", warehouse.uri)
    return warehouse


def waiting(seconds: int) -> subprocess.Popen[str]:
    """The command of an init container."""
    command = [sys.executable, "-m", "wolkvox", "migrate", "--wait", str(seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_ends_when_somebody_else_has_migrated_and_changes_nothing_itself(empty: Database) -> None:
    process = waiting(60)
    time.sleep(6)  # until it has looked at least once
    assert process.poll() is None
    assert empty.value("SELECT to_regnamespace('wolkvox')") is None
    migrate()
    said, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "")
    assert said == "The ledger at connection 'wolkvox_ledger' is up to date.\n"


def test_it_ends_at_once_where_nothing_is_to_be_waited_for(ledger: Database) -> None:
    began = time.monotonic()
    wait_until_migrated("wolkvox_ledger", 60)
    assert time.monotonic() - began < 2


def test_a_login_that_only_reads_can_wait(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.execute("DROP ROLE IF EXISTS waits")
    ledger.execute("CREATE ROLE waits LOGIN")
    ledger.execute("GRANT USAGE ON SCHEMA wolkvox TO waits")
    ledger.execute("GRANT SELECT ON ALL TABLES IN SCHEMA wolkvox TO waits")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", ledger.uri.replace("postgres@", "waits@"))
    wait_until_migrated("wolkvox_ledger", 1)


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_a_version_that_stays_another_one_is_named_with_the_remedy(ledger: Database, version: str) -> None:
    ledger.execute("UPDATE wolkvox.migration SET version_num = %s", version)
    with pytest.raises(LedgerUnavailable, match=f"still of version {version} after 1 s; .* run `python -m wolkvox"):
        wait_until_migrated("wolkvox_ledger", 1)


def test_a_ledger_that_can_not_be_reached_is_waited_for_too(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", "postgresql://nobody@127.0.0.1:1/nowhere")
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        wait_until_migrated("wolkvox_ledger", 2)
    assert time.monotonic() - began >= 2
