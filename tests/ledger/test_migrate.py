"""The ledger's schema: brought up to date by whoever deploys, as often as they like."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from airflow.providers.postgres.hooks.postgres import PostgresHook
from alembic import command
from alembic.config import Config
from conftest import Database

import wolkvox.ledger.migrate
from wolkvox.errors import BadSetting, LedgerUnavailable
from wolkvox.ledger.connection import connected
from wolkvox.ledger.migrate import LONGEST_WAIT, MIGRATION_LOCK, migrate, versions

STATES = {"pending", "sending", "coded", "rejected", "failed", "invalid", "superseded", "expired", "held"}


@pytest.fixture
def empty(warehouse: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database without a ledger, known to Airflow as ``wolkvox_ledger``."""
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", warehouse.uri)
    return warehouse


def shape(database: Database) -> list[tuple[Any, ...]]:
    """Every column of the ledger, with its type."""
    return database.rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'wolkvox' ORDER BY 1, ordinal_position"
    )


def migrating() -> subprocess.Popen[str]:
    """The command of a deployment, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "plugins")}
    command = [sys.executable, "-m", "wolkvox", "migrate"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_migration_that_ran_before_changes_nothing(empty: Database) -> None:
    migrate()
    before = shape(empty)
    version = empty.rows("SELECT * FROM wolkvox.migration")
    migrate()
    assert (shape(empty), empty.rows("SELECT * FROM wolkvox.migration")) == (before, version)
    assert len(version) == 1


def finish(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.endswith("The ledger at connection 'wolkvox_ledger' is up to date.\n")


def test_a_machine_waits_while_another_one_migrates(empty: Database) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with empty.connection.transaction():
        empty.execute("SELECT pg_advisory_xact_lock(%s)", MIGRATION_LOCK)
        process = migrating()
        while empty.value(waiting) == 0:
            assert process.poll() is None, "it did not wait"
            time.sleep(0.02)
        assert shape(empty) == []
    finish(process)
    assert shape(empty) != []


def test_two_machines_may_migrate_at_the_same_time(empty: Database) -> None:
    for process in [migrating(), migrating()]:
        finish(process)
    assert empty.value("SELECT count(*) FROM wolkvox.migration") == 1


def test_the_ledger_has_the_columns_that_others_rely_on(ledger: Database) -> None:
    columns = {column for table, column, _ in shape(ledger) if table == "codification"}
    assert columns >= {
        *("id", "operation", "type_campaign", "campaign_id", "customer_id", "cod_act", "cod_act_2", "comment"),
        *("contacted_at", "state", "attempts", "reason", "response_code", "response_msg", "staged_at", "sent_at"),
        *("settled_at", "dag_run_id", "chunk_id"),
    }


def test_the_ledger_knows_nine_states_and_no_other(ledger: Database) -> None:
    insert = (
        "INSERT INTO wolkvox.codification (contact_key, operation, state, settled_at) SELECT gen_random_uuid(), '0041',"
        " state, CASE WHEN state NOT IN ('pending', 'sending') THEN now() END FROM (SELECT %s AS state) AS given"
    )
    for state in STATES:
        ledger.execute(insert, state)
    with pytest.raises(psycopg.errors.CheckViolation, match="codification_state_check"):
        ledger.execute(insert, "done")


def test_the_ledger_can_be_dropped_and_made_again(empty: Database) -> None:
    migrate()
    before = shape(empty)
    alembic(command.downgrade, "base")
    assert {table for table, *_ in shape(empty)} == {"migration"}
    migrate()
    assert shape(empty) == before


def test_a_ledger_of_before_the_first_release_is_left_alone(empty: Database) -> None:
    migrate()
    empty.execute("UPDATE wolkvox.migration SET version_num = '0021'")
    with pytest.raises(BadSetting, match="before 1\\.0\\.0"):
        migrate()
    assert empty.value("SELECT version_num FROM wolkvox.migration") == "0021"


def test_a_database_without_a_ledger_says_how_to_make_one(empty: Database) -> None:
    missing = pytest.raises(LedgerUnavailable, match="holds no ledger yet: run `python -m wolkvox migrate`")
    with missing, connected("wolkvox_ledger") as connection:
        connection.execute("SELECT 1 FROM wolkvox.codification")


def test_a_ledger_out_of_reach_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", "postgresql://somebody:a-password@127.0.0.1:1/none")
    with pytest.raises(LedgerUnavailable) as raised, connected("wolkvox_ledger"):
        pass
    assert str(raised.value).startswith("The ledger at connection 'wolkvox_ledger' can't be reached")
    assert "a-password" not in str(raised.value)


def alembic(move: Callable[[Config, str], None], revision: str) -> None:
    """Take the ledger up or down to a revision."""
    with PostgresHook("wolkvox_ledger").get_sqlalchemy_engine().begin() as connection:
        config = wolkvox.ledger.migrate._config()
        config.attributes["connection"] = connection
        move(config, revision)


NEXT = """
from alembic import op
revision, down_revision = "next", "1.0.0"
def upgrade(): op.execute("ALTER TABLE wolkvox.codification ADD COLUMN later text")
def downgrade(): op.execute("ALTER TABLE wolkvox.codification DROP COLUMN later")
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package after this one: it changes the largest table."""
    folder = shutil.copytree(wolkvox.ledger.migrate.MIGRATIONS, tmp_path / "migrations")
    (folder / "versions" / "next.py").write_text(NEXT)
    monkeypatch.setattr("wolkvox.ledger.migrate.MIGRATIONS", folder)


def test_a_ledger_with_rows_in_all_states_goes_up_and_down_and_loses_none(ledger: Database, next_version: None) -> None:
    for state in STATES:
        ledger.execute(
            "INSERT INTO wolkvox.codification (contact_key, operation, state, type_campaign, settled_at)"
            " SELECT gen_random_uuid(), '0041', state, 'preview', CASE WHEN state NOT IN ('pending', 'sending')"
            " THEN now() END FROM (SELECT %s AS state) AS given",
            state,
        )
    rows = "SELECT id, contact_key, state, settled_at FROM wolkvox.codification ORDER BY id"
    before = ledger.rows(rows)
    migrate()
    assert (versions(ledger.connection), ledger.rows(rows)) == (("next", "next"), before)
    alembic(command.downgrade, "1.0.0")
    assert (versions(ledger.connection), ledger.rows(rows)) == (("1.0.0", "next"), before)


@pytest.mark.timeout(120)
def test_a_migration_behind_a_long_query_holds_no_task_up_and_ends_once_that_is_over(
    ledger: Database, next_version: None
) -> None:
    reader = psycopg.connect(ledger.uri)
    reader.execute("SELECT count(*) FROM wolkvox.codification")  # and its transaction stays open, as a backup's does
    migrating = Thread(target=migrate)
    migrating.start()
    waits = []
    began = time.monotonic()
    while time.monotonic() - began < 10:
        before = time.monotonic()
        ledger.execute(
            "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, state)"
            " VALUES (gen_random_uuid(), '0041', 'preview', 'pending')"
        )
        waits.append(time.monotonic() - before)
        time.sleep(0.05)
    assert migrating.is_alive()
    assert max(waits) > 0.5, "it did try"
    assert max(waits) < LONGEST_WAIT + 2.0
    reader.close()
    migrating.join(60)
    assert not migrating.is_alive()
    assert versions(ledger.connection) == ("next", "next")


def test_a_migration_that_never_gets_its_turn_changes_nothing_and_says_so(
    ledger: Database, next_version: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolkvox.ledger.migrate.TIMEOUT", 1.0)
    monkeypatch.setattr("wolkvox.ledger.migrate.LONGEST_WAIT", 1.0)
    with psycopg.connect(ledger.uri) as reader:
        reader.execute("SELECT count(*) FROM wolkvox.codification")
        with pytest.raises(LedgerUnavailable, match="stayed in use"):
            migrate()
    assert versions(ledger.connection) == ("1.0.0", "next")
