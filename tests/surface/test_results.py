"""What became of each contact, written into the warehouse where people join it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from conftest import Database
from sqlalchemy import Engine, create_engine, text
from warehouses import by_engine

from wolkvox.errors import WolkvoxError
from wolkvox.operators import WolkvoxResultsOperator

pytest_plugins = ("warehouses",)

NOW = datetime.now(timezone.utc).replace(microsecond=0)


@pytest.fixture(autouse=True)
def wolkvox(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"wolkvox_server": "0041"}
    connection = {"conn_type": "wolkvox", "host": "http://127.0.0.1:9", "password": "token", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps(connection))


def put(ledger: Database, customer: str, state: str = "coded", **columns: object) -> None:
    """A contact that the ledger knows; settled long ago unless said otherwise."""
    row: dict[str, object] = {
        "contact_key": uuid4(),
        "operation": "0041",
        "type_campaign": "preview",
        "campaign_id": "17",
        "customer_id": customer,
        "cod_act": "5",
        "comment": "by chat",
        "contacted_at": NOW - timedelta(hours=3),
        "state": state,
        "settled_at": None if state == "pending" else NOW - timedelta(hours=2),
        "dag_run_id": "earlier",
        **columns,
    }
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    ledger.execute(f"INSERT INTO wolkvox.codification ({names}) VALUES ({places})", *row.values())


def write(
    run: str = "run", *, table: str = "contact_results", operation: str | None = None, dry_run: bool = False
) -> int:
    """What the task ``results`` of a run does."""
    operator = WolkvoxResultsOperator(task_id="results", table=table, operation=operation)
    ti = SimpleNamespace(dag_id="wolkvox_codify", run_id=run, task_id="results", map_index=-1, try_number=1)
    return operator.execute(cast("Any", {"params": {"dry_run": dry_run}, "ti": ti}))


def told(warehouse: Database) -> list[tuple[Any, ...]]:
    return warehouse.rows("SELECT customer_id, state, reason FROM contact_results ORDER BY 1")


def test_the_table_is_made_and_has_every_contact_once(ledger: Database, warehouse: Database) -> None:
    put(ledger, "1", response_code="200", response_msg="Codificado 👍", attempts=1, sent_at=NOW)
    put(ledger, "2", "rejected", reason="customer_unknown")
    put(ledger, "3", "pending")
    assert write() == 3
    assert told(warehouse) == [("1", "coded", None), ("2", "rejected", "customer_unknown"), ("3", "pending", None)]
    assert warehouse.rows(
        "SELECT operation, type_campaign, campaign_id, cod_act, contacted_at, settled_at, response_code, response_msg,"
        " attempts, sent_at, dag_run_id, length(contact_key) FROM contact_results WHERE customer_id = '1'"
    ) == [
        (
            "0041",
            "preview",
            "17",
            "5",
            NOW - timedelta(hours=3),
            NOW - timedelta(hours=2),
            "200",
            "Codificado 👍",
            1,
            NOW,
            "earlier",
            36,
        )
    ]


def test_no_comment_leaves_the_ledger(ledger: Database, warehouse: Database) -> None:
    put(ledger, "1")
    write()
    assert "by chat" not in str(warehouse.rows("SELECT * FROM contact_results"))


def test_what_changed_takes_the_place_of_what_the_table_said(ledger: Database, warehouse: Database) -> None:
    for customer in ("1", "2", "3", "4"):
        put(ledger, customer, "pending")
    write("first")
    ledger.execute("UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE customer_id = '1'")
    ledger.execute(
        "UPDATE wolkvox.codification SET reason = 'overloaded_500', dag_run_id = 'second' WHERE customer_id = '2'"
    )
    put(ledger, "5", "invalid", reason="campaign_missing", settled_at=NOW)
    assert write("second") == 3
    assert told(warehouse) == [
        ("1", "coded", None),
        ("2", "pending", "overloaded_500"),
        ("3", "pending", None),
        ("4", "pending", None),
        ("5", "invalid", "campaign_missing"),
    ]


def test_nothing_is_missed_between_two_times(ledger: Database, warehouse: Database) -> None:
    put(ledger, "1", "pending")
    write("first")
    ledger.execute("UPDATE wolkvox.export_cursor SET since = now() - interval '1 hour'")
    ledger.execute("UPDATE wolkvox.codification SET state = 'coded', settled_at = now() - interval '30 minutes'")
    assert (write("second"), told(warehouse)) == (1, [("1", "coded", None)])


def test_what_was_settled_long_before_is_not_written_again(ledger: Database, warehouse: Database) -> None:
    for customer in range(20):
        put(ledger, str(customer))
    assert (write("first"), write("second")) == (20, 0)


def test_a_table_that_could_not_be_written_is_caught_up_by_the_next_run(ledger: Database, warehouse: Database) -> None:
    put(ledger, "1")
    warehouse.execute("CREATE TABLE contact_results (contact_key text)")
    with pytest.raises(WolkvoxError, match="refused to take results into contact_results: UndefinedColumn"):
        write("first")
    warehouse.execute("DROP TABLE contact_results")
    assert (write("second"), told(warehouse)) == (1, [("1", "coded", None)])


def test_two_operations_write_one_table_and_each_its_own(ledger: Database, warehouse: Database) -> None:
    put(ledger, "1", operation="sales")
    put(ledger, "2")
    assert (write(operation="sales"), write()) == (1, 1)
    assert warehouse.rows("SELECT operation, customer_id FROM contact_results ORDER BY 2") == [
        ("sales", "1"),
        ("0041", "2"),
    ]


def test_a_dry_run_writes_nothing(ledger: Database, warehouse: Database) -> None:
    put(ledger, "1")
    assert write(dry_run=True) == 0
    with pytest.raises(psycopg.errors.UndefinedTable):
        told(warehouse)


def test_a_schema_may_be_named(ledger: Database, warehouse: Database) -> None:
    warehouse.execute("CREATE SCHEMA analytics")
    put(ledger, "1")
    assert (write("first", table="analytics.results"), write("second", table="analytics.results")) == (1, 0)
    assert warehouse.value("SELECT count(*) FROM analytics.results") == 1


def test_a_connection_that_is_no_database_is_said_and_not_tried_again(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "http://127.0.0.1")
    with pytest.raises(AirflowFailException, match="which is no SQL database"):
        write()


def test_what_the_warehouse_says_is_told_without_anybodys_values(ledger: Database, warehouse: Database) -> None:
    put(ledger, "52998123")
    write("first")
    warehouse.execute("ALTER TABLE contact_results ADD CHECK (length(campaign_id) < 2) NOT VALID")
    ledger.execute("UPDATE wolkvox.codification SET settled_at = now()")
    with pytest.raises(WolkvoxError, match="CheckViolation") as raised:
        write("second")
    assert "52998123" not in f"{raised.value!r}"


def check_other(ledger: Database, engine: Engine) -> None:
    """More than one batch, written twice."""
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, customer_id, state, settled_at, contacted_at,"
        " response_msg) SELECT gen_random_uuid(), '0041', n::text, 'coded', now(), '2026-03-02 12:00Z', 'llamó 👍'"
        " FROM generate_series(1, 1200) AS n"
    )
    assert (write("first"), write("second")) == (1200, 1200)
    with engine.connect() as database:
        counted = database.execute(text("SELECT count(*), count(DISTINCT contact_key) FROM contact_results")).one()
        moment, words = database.execute(text("SELECT contacted_at, response_msg FROM contact_results LIMIT 1")).one()
    assert (tuple(counted), words) == ((1200, 1200), "llamó 👍")
    if isinstance(moment, datetime) and moment.tzinfo:
        moment = moment.astimezone(timezone.utc)
    assert str(moment).startswith("2026-03-02 12:00:00")


def test_duckdb_takes_results(ledger: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = create_engine(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
    by_engine(monkeypatch, engine)
    check_other(ledger, engine)


@pytest.mark.filterwarnings("ignore:The default datetime adapter is deprecated")
def test_sqlite_takes_results(ledger: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'warehouse.db'}")
    by_engine(monkeypatch, engine)
    check_other(ledger, engine)


def test_mariadb_takes_results(ledger: Database, monkeypatch: pytest.MonkeyPatch, mariadb: Engine) -> None:
    by_engine(monkeypatch, mariadb)
    check_other(ledger, mariadb)
