"""The ledger's schema: brought up to date by whoever deploys, as often as they like."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from airflow.providers.postgres.hooks.postgres import PostgresHook
from alembic import command
from alembic.config import Config
from conftest import Database
from contact_rows import read

from wolkvox.errors import LedgerUnavailable
from wolkvox.ledger.connection import connected
from wolkvox.ledger.migrate import LONGEST_WAIT, MIGRATION_LOCK, migrate, versions

STATES = {"pending", "sending", "coded", "rejected", "failed", "invalid", "superseded", "expired"}


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


def test_the_ledger_knows_eight_states_and_no_other(ledger: Database) -> None:
    insert = (
        "INSERT INTO wolkvox.codification (contact_key, operation, state, settled_at) SELECT gen_random_uuid(), '0041',"
        " state, CASE WHEN state NOT IN ('pending', 'sending') THEN now() END FROM (SELECT %s AS state) AS given"
    )
    for state in STATES:
        ledger.execute(insert, state)
    with pytest.raises(psycopg.errors.CheckViolation, match="codification_state_check"):
        ledger.execute(insert, "done")


def test_the_schema_can_be_taken_back_and_made_anew(empty: Database) -> None:
    migrate()
    before = shape(empty)
    config = Config()
    migrations = Path(__file__).parents[2] / "plugins" / "wolkvox" / "ledger" / "migrations"
    config.set_main_option("script_location", str(migrations))
    with PostgresHook("wolkvox_ledger").get_sqlalchemy_engine().begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        command.upgrade(config, "head")
    assert shape(empty) == before


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
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[2] / "plugins" / "wolkvox" / "ledger" / "migrations")
    )
    with PostgresHook("wolkvox_ledger").get_sqlalchemy_engine().begin() as connection:
        config.attributes["connection"] = connection
        move(config, revision)


def test_a_ledger_with_rows_in_all_states_goes_up_and_down_and_loses_none(empty: Database) -> None:
    migrate()
    alembic(command.downgrade, "0004")
    for state in STATES:
        for attempts in (1, 8):
            empty.execute(
                "INSERT INTO wolkvox.codification (contact_key, operation, state, attempts, reason, settled_at)"
                " VALUES (gen_random_uuid(), '0041', %s, %s, 'before', now())",
                state,
                attempts,
            )
    kept = "SELECT state, attempts, count(*), count(settled_at), count(not_before) FROM wolkvox.codification"
    alembic(command.upgrade, "head")
    up = {(state, attempts): counts for state, attempts, *counts in empty.rows(f"{kept} GROUP BY 1, 2")}
    assert up.pop(("pending", 1)) == [2, 0, 1], "what was failed before is offered again by the next run"
    assert up.pop(("failed", 8)) == [1, 1, 0], "unless it had all the calls of its life"
    others = {(state, attempts) for state in STATES for attempts in (1, 8)} - {
        ("pending", 1),
        ("failed", 1),
        ("failed", 8),
    }
    assert up == {(state, n): [1, int(state not in ("pending", "sending")), 0] for state, n in others}
    alembic(command.downgrade, "0004")
    assert empty.value("SELECT count(*) FROM wolkvox.codification") == 16
    alembic(command.upgrade, "head")
    assert empty.value("SELECT count(*) FROM wolkvox.codification WHERE state = 'pending'") == 3


def test_an_alert_that_is_firing_goes_up_and_down(empty: Database) -> None:
    migrate()
    alembic(command.downgrade, "0015")
    empty.execute(
        "INSERT INTO wolkvox.condition"
        " VALUES ('0041', 'dag', 'outage', 'Away.', '2026-03-02 12:00Z', '2026-03-02 13:00Z')"
    )
    alembic(command.upgrade, "head")
    firing = "SELECT alert, message, seen_at - firing_since, resolved_at, again FROM wolkvox.alert ORDER BY 1"
    assert empty.rows(firing) == [("outage", "Away.", timedelta(hours=1), None, False)]
    empty.execute(
        "INSERT INTO wolkvox.alert VALUES ('0041', 'dag', 'quota', 'Used.', now(), now(), now()),"
        " ('0041', 'dag', 'silence', 'Silent.', now(), now(), NULL)"
    )
    alembic(command.downgrade, "0015")
    assert empty.rows("SELECT condition, words FROM wolkvox.condition ORDER BY 1") == [
        ("outage", "Away."),
        ("silence", "Silent."),
    ]


def test_contacts_with_fractions_of_a_second_are_the_same_contacts_afterwards(empty: Database) -> None:
    migrate()
    alembic(command.downgrade, "0005")
    moment = datetime.now(timezone.utc).replace(microsecond=499_600)
    insert = (
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, cod_act,"
        " contacted_at, state) VALUES (gen_random_uuid(), '0041', 'preview', '17', %s, '5', %s, 'coded')"
    )
    for customer in ("1", "2", "2"):
        empty.execute(insert, customer, moment)
    empty.execute(insert, "3", moment.replace(microsecond=0))
    alembic(command.upgrade, "head")
    for customer, found in (("1", 1), ("2", 1), ("3", 0)):
        contact = read(customer_id=customer, contacted_at=moment + timedelta(microseconds=400))
        count = "SELECT count(*) FROM wolkvox.codification WHERE contact_key = %s"
        assert empty.value(count, UUID(bytes=contact.key)) == found
    assert empty.value("SELECT count(*) FROM wolkvox.codification") == 4


@pytest.mark.timeout(120)
def test_a_migration_behind_a_long_query_holds_no_task_up_and_ends_once_that_is_over(empty: Database) -> None:
    migrate()
    alembic(command.downgrade, "0011")
    reader = psycopg.connect(empty.uri)
    reader.execute("SELECT count(*) FROM wolkvox.codification")  # and its transaction stays open, as a backup's does
    migrating = Thread(target=migrate)
    migrating.start()
    waits = []
    began = time.monotonic()
    while time.monotonic() - began < 10:
        before = time.monotonic()
        empty.execute(
            "INSERT INTO wolkvox.codification (contact_key, operation, state)"
            " VALUES (gen_random_uuid(), '0041', 'pending')"
        )
        waits.append(time.monotonic() - before)
        time.sleep(0.05)
    assert migrating.is_alive()
    assert max(waits) > 0.5, "it did try"
    assert max(waits) < LONGEST_WAIT + 2.0
    reader.close()
    migrating.join(60)
    assert not migrating.is_alive()
    assert empty.value("SELECT version_num FROM wolkvox.migration") == versions(empty.connection)[1]


def test_a_migration_that_never_gets_its_turn_changes_nothing_and_says_so(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate()
    alembic(command.downgrade, "0011")
    monkeypatch.setattr("wolkvox.ledger.migrate.PATIENCE", 1.0)
    monkeypatch.setattr("wolkvox.ledger.migrate.LONGEST_WAIT", 1.0)
    with psycopg.connect(empty.uri) as reader:
        reader.execute("SELECT count(*) FROM wolkvox.codification")
        with pytest.raises(LedgerUnavailable, match="stayed in use"):
            migrate()
    assert empty.value("SELECT version_num FROM wolkvox.migration") == "0011"
