"""Rows of the warehouse, from a real PostgreSQL and a real SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any, cast

import pendulum
import pytest
from airflow.exceptions import AirflowTaskTimeout
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import Connection
from airflow.sdk.execution_time.timeout import timeout
from conftest import Database
from contact_rows import BOGOTA, INSERT, NOON, row
from crew import stage, verdict, wait_until
from sandbox_server import SandboxServer
from sqlalchemy import Engine, create_engine, text
from warehouses import MOMENTS, by_engine, fill_other

from wolkvox.errors import BadSetting, Stopped, WolkvoxError
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.contacts import COLUMNS, read_contact
from wolkvox.rules.window import Window
from wolkvox.stop import Stop
from wolkvox.warehouse.queries import contacted_customers
from wolkvox.warehouse.records import customers_of_records
from wolkvox.warehouse.sessions import session_statement

pytest_plugins = ("warehouses",)

STATEMENT = (Path(__file__).parents[2] / "include" / "sql" / "contacted_customers.sql").read_text()
QUARTER = timedelta(minutes=15)
WINDOW = Window(NOON, NOON + QUARTER)


def pulled(statement: str = STATEMENT, window: Window = WINDOW, zone: str = "America/Bogota") -> list[Sequence[Any]]:
    return [tuple(each) for each in contacted_customers("warehouse", statement, window, zone)]


def test_a_row_of_the_window_is_pulled_in_the_order_of_the_columns(warehouse: Database) -> None:
    warehouse.execute(INSERT, *row(cod_act_2="7"))
    assert pulled() == [tuple(row(cod_act_2="7"))]


def test_the_window_has_its_start_and_not_its_end(warehouse: Database) -> None:
    instant = timedelta(microseconds=1)
    for moment in (NOON - instant, NOON, NOON + QUARTER - instant, NOON + QUARTER):
        warehouse.execute(INSERT, *row(contacted_at=moment))
    warehouse.execute(INSERT, *row(contacted_at=None))
    assert [each[6] for each in pulled()] == [NOON, NOON + QUARTER - instant]


def test_airflows_own_moments_bound_a_window(warehouse: Database) -> None:
    warehouse.execute(INSERT, *row())
    noon = pendulum.instance(NOON).in_timezone("America/Bogota")
    assert len(pulled(window=Window(noon, noon.add(minutes=15)))) == 1
    assert pulled(window=Window(noon.add(minutes=15), noon.add(minutes=30))) == []


def test_columns_may_come_in_any_order_among_others(warehouse: Database) -> None:
    warehouse.execute(INSERT, *row())
    statement = (
        "SELECT now() AS loaded_at, contacted_at, comment, cod_act_2, cod_act, customer_id, campaign_id, type_campaign"
    )
    assert pulled(f"{statement} FROM contacted_customers WHERE contacted_at >= :window_start") == [tuple(row())]


def test_a_query_that_lacks_columns_is_told_which(warehouse: Database) -> None:
    with pytest.raises(BadSetting) as refused:
        pulled(
            "SELECT campaign_id, customer_id AS customer, cod_act, cod_act_2, type_campaign FROM contacted_customers"
        )
    assert str(refused.value) == (
        "The warehouse query gives no column customer_id, comment, contacted_at; it must select type_campaign,"
        " campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at."
    )


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        ("America/Bogota", [datetime(2026, 3, 2, 7, 0)]),  # noqa: DTZ001 - without a zone on purpose
        ("UTC", [datetime(2026, 3, 2, 12, 0)]),  # noqa: DTZ001
    ],
)
def test_a_column_without_a_zone_is_read_on_the_zones_clock(
    warehouse: Database, zone: str, moments: list[datetime]
) -> None:
    warehouse.execute("ALTER TABLE contacted_customers ALTER contacted_at TYPE timestamp")
    for hour in (7, 12):
        warehouse.execute(INSERT, *row(contacted_at=f"2026-03-02 {hour}:00"))
    assert [each[6] for each in pulled(zone=zone)] == moments


def test_numbers_and_dates_come_as_the_warehouse_has_them(warehouse: Database) -> None:
    warehouse.execute(
        "ALTER TABLE contacted_customers ALTER campaign_id TYPE integer USING 17,"
        " ALTER customer_id TYPE numeric(20, 2) USING 0, ALTER cod_act TYPE float USING 0"
    )
    warehouse.execute(INSERT, *row(campaign_id=17, customer_id=52998123, cod_act=5))
    contact = read_contact(pulled()[0], operation="0041", zone=BOGOTA)
    assert (contact.campaign_id, contact.customer_id, contact.cod_act, contact.reason) == ("17", "52998123", "5", None)


def test_an_endless_query_gives_its_first_rows_at_once(warehouse: Database) -> None:
    statement = (
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number)"
        " SELECT 'preview' AS type_campaign, 17 AS campaign_id, n AS customer_id, 5 AS cod_act, NULL AS cod_act_2,"
        " NULL AS comment, CAST(:window_start AS timestamptz) AS contacted_at FROM number"
    )
    rows = contacted_customers("warehouse", statement, WINDOW, "UTC")
    assert [each[2] for each in islice(rows, 12_000)] == list(range(1, 12_001))
    rows.close()
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    wait_until(lambda: warehouse.value(sessions) == 1)  # PostgreSQL ends a session a moment after its client


SLOWLY = "SELECT *, pg_sleep(25) FROM contacted_customers"


@pytest.mark.parametrize(
    "statement",
    [
        SLOWLY,
        f"{SLOWLY} ORDER BY 1",
        "SELECT *, pg_sleep(CASE WHEN customer_id > '3' THEN 25 ELSE 0 END) FROM contacted_customers",
    ],
    ids=["its first row", "all of them", "a later one"],
)
def test_a_stop_is_heeded_while_the_warehouse_is_at_a_row(warehouse: Database, statement: str) -> None:
    for customer in "1245":
        warehouse.execute(INSERT, *row(customer_id=customer))
    stop = Stop()
    told = Timer(1.0, stop.set)
    told.start()
    began = monotonic()
    with pytest.raises(Stopped, match="Told to stop while contacts were pulled"):
        list(contacted_customers("warehouse", statement, WINDOW, "UTC", stop))
    assert monotonic() - began < 5.0
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    wait_until(lambda: warehouse.value(sessions) == 1, 5.0)


def test_airflows_time_out_ends_a_pull_that_the_warehouse_never_answers(warehouse: Database) -> None:
    warehouse.execute(INSERT, *row(customer_id="1"))
    began = monotonic()
    with pytest.raises(AirflowTaskTimeout), timeout(1):  # type: ignore[no-untyped-call]
        list(contacted_customers("warehouse", SLOWLY, WINDOW, "UTC", Stop()))
    assert monotonic() - began < 5.0


def test_an_error_that_comes_after_some_rows_is_told_as_any_other(warehouse: Database) -> None:
    for customer in ("1", "x"):
        warehouse.execute(INSERT, *row(customer_id=customer))
    with pytest.raises(WolkvoxError, match="A value in the warehouse broke the query"):
        pulled("SELECT *, customer_id::int FROM contacted_customers")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://127.0.0.1", "Connection 'warehouse' is of type 'http', which is no SQL database"),
        ("sqlserver://127.0.0.1", "Connection 'warehouse': Unknown hook type \"sqlserver\". Install the provider"),
    ],
)
def test_a_connection_that_is_no_sql_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, message: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    with pytest.raises(BadSetting) as refused:
        pulled()
    assert str(refused.value).startswith(message)


@pytest.fixture
def sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """A warehouse in SQLite, whose provider isn't installed: a hook as that provider's stands in for it."""

    class SqliteHook(DbApiHook):
        conn_name_attr = "sqlite_conn_id"

        def get_sqlalchemy_engine(self, engine_kwargs: dict[str, Any] | None = None) -> Engine:
            return create_engine(f"sqlite:///{tmp_path / 'warehouse.db'}")

    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "sqlite://")
    monkeypatch.setattr(Connection, "get_hook", lambda *_: SqliteHook())
    database = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    database.execute(
        "CREATE TABLE contacted_customers"
        " (type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at)"
    )
    return database


@pytest.mark.filterwarnings("ignore:The default datetime adapter is deprecated")
@pytest.mark.parametrize("suffix", ["", "-05:00"])
def test_sqlite_serves_as_a_warehouse_too(sqlite: sqlite3.Connection, suffix: str) -> None:
    for moment in ("06:59:59", "07:00:01", "07:14:59.999", "07:15:01", "12:00:01"):
        sqlite.execute(INSERT.replace("%s", "?"), row(contacted_at=f"2026-03-02 {moment}{suffix}"))
    contacts = [read_contact(each, operation="0041", zone=BOGOTA) for each in pulled()]
    assert [contact.contacted_at for contact in contacts] == [
        datetime(2026, 3, 2, 12, 0, 1, tzinfo=timezone.utc),
        datetime(2026, 3, 2, 12, 14, 59, 999_000, tzinfo=timezone.utc),
    ]


def test_a_column_is_found_whatever_its_case(warehouse: Database) -> None:
    warehouse.execute(INSERT, *row(cod_act_2="7"))
    names = ", ".join(
        f'{name} AS "{name.upper() if number % 2 else name.title()}"' for number, name in enumerate(COLUMNS)
    )
    assert pulled(f"SELECT {names} FROM contacted_customers") == [tuple(row(cod_act_2="7"))]


def test_of_two_columns_that_differ_by_case_alone_the_exact_one_is_taken(warehouse: Database) -> None:
    warehouse.execute(INSERT, *row())
    statement = 'SELECT 5 AS "COD_ACT_2", contacted_customers.* FROM contacted_customers'
    assert pulled(statement) == [tuple(row())]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT 'secret-customer'::integer", "A value in the warehouse broke the query"),
        ("SELECT * FROM nowhere WHERE id = 'secret-customer'", 'relation "nowhere" does not exist'),
        ("SELECT pg_catalog.nothing('secret-customer', 52998123)", "UndefinedFunction"),
        ("SELECT complain()", "customer … … is locked"),
    ],
)
def test_what_a_database_says_is_told_without_anybodys_values(
    warehouse: Database, statement: str, message: str
) -> None:
    warehouse.execute(
        "CREATE FUNCTION complain() RETURNS void LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE 'customer 52998123 ''secret-customer'' is locked'; END $$"
    )
    with pytest.raises(WolkvoxError, match=message) as raised:
        pulled(statement)
    assert "secret-customer" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert "52998123" not in str(raised.value)


def test_an_error_amid_the_rows_is_told_without_anybodys_values_too(warehouse: Database) -> None:
    statement = (
        "SELECT 'preview' AS type_campaign, 17 AS campaign_id, n AS customer_id, NULL AS cod_act_2, NULL AS comment,"
        " CASE WHEN n > 5000 THEN repeat('secret-customer', n / 5000)::integer END AS cod_act,"
        " CAST(:window_start AS timestamptz) AS contacted_at FROM generate_series(1, 6000) AS n"
    )
    rows = contacted_customers("warehouse", statement, WINDOW, "UTC")
    assert len(list(islice(rows, 4_000))) == 4_000
    with pytest.raises(WolkvoxError, match="A value in the warehouse broke the query") as raised:
        list(rows)
    assert "secret-customer" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_contacts_of_another_zone_are_told_of(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A TIMESTAMP in UTC that is read on Bogota's clock: five hours from now."""
    warehouse.execute("ALTER TABLE contacted_customers ALTER contacted_at TYPE timestamp")
    now = datetime.now(timezone.utc)
    for minutes in (1, 2, 3):
        warehouse.execute(
            INSERT, *row(customer_id=minutes, contacted_at=now.replace(tzinfo=None) - timedelta(minutes=minutes))
        )
    statement = STATEMENT.replace("contacted_at < :window_end", "contacted_at < :window_end + interval '5 hours'")
    _, counts = stage(sql=statement)
    assert counts["beyond_window"] == 3
    assert "3 contacts are of after the window's end" in caplog.text
    summary, _ = verdict("run", counts, [])
    assert "another zone" in summary["news"]["firing"]["zone"]


# Other databases, with their own drivers


@pytest.mark.parametrize("moment_type", ["timestamp", "timestamptz"])
def test_duckdb_is_a_warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moment_type: str) -> None:
    engine = create_engine(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
    by_engine(monkeypatch, engine)
    fill_other(engine, moment_type)
    check_other()


def test_mariadb_is_a_warehouse(mariadb: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    by_engine(monkeypatch, mariadb)
    fill_other(mariadb, "datetime")
    check_other()


def test_mariadbs_timestamps_are_read_on_the_operations_clock_whatever_the_servers(
    mariadb: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_engine(monkeypatch, mariadb)
    with mariadb.begin() as database:
        database.execute(text("SET GLOBAL time_zone = '-05:00'"))
    mariadb.dispose()
    fill_other(mariadb, "timestamp")
    with mariadb.begin() as database:
        database.execute(text("SET GLOBAL time_zone = '+00:00'"))
    mariadb.dispose()
    check_other()


@pytest.mark.parametrize(
    ("dialect", "statement"),
    [
        ("oracle", "ALTER SESSION SET TIME_ZONE = 'America/Bogota'"),
        ("snowflake", "ALTER SESSION SET TIMEZONE = 'America/Bogota'"),
        ("mysql", "SET time_zone = '-05:00'"),
        ("mssql", None),
        ("bigquery", None),
    ],
)
def test_a_session_is_put_on_the_operations_clock_where_the_database_has_one(
    dialect: str, statement: str | None
) -> None:
    assert session_statement(dialect, "America/Bogota", NOON) == statement


def check_other() -> None:
    """The window's two contacts come out as text, at the right instants."""
    contacts = [read_contact(each, operation="0041", zone=BOGOTA) for each in pulled()]
    assert [(contact.customer_id, contact.contacted_at) for contact in contacts] == [
        ("52998001", MOMENTS[1]),
        ("52998002", MOMENTS[2]),
    ]
    assert {(contact.campaign_id, contact.cod_act, contact.comment, contact.reason) for contact in contacts} == {
        ("17", "5", "llamó 👍", None)
    }


def told(**changes: object) -> dict[str, object]:
    """A contact as another task hands it over."""
    return dict(zip(COLUMNS, row(**changes), strict=True))


def test_contacts_that_a_task_hands_over_are_rows_like_any_other() -> None:
    assert list(customers_of_records([told()])) == [[*row(), None, None]]
    assert list(customers_of_records([{**told(), "direct": True, "channel": "sms", "more": 1}])) == [
        [*row(), "sms", True]
    ]
    assert list(customers_of_records([])) == []


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"customer_id": "1"}, "Record 2 has no type_campaign, campaign_id, cod_act"),
        (["preview", "17"], "Record 2 has no type_campaign, campaign_id, customer_id"),
        (None, "Record 2 has no"),
    ],
)
def test_a_record_without_its_columns_is_named_by_its_number(record: Any, said: str) -> None:
    with pytest.raises(BadSetting, match=said) as caught:
        list(customers_of_records([told(), record]))
    assert "1001" not in str(caught.value)


def test_contacts_come_from_a_query_or_from_records() -> None:
    window, context = WINDOW, cast("Any", {})
    neither, both = WolkvoxStageOperator(task_id="stage"), WolkvoxStageOperator(task_id="stage", sql="x", records=[])
    for operator in (neither, both):
        with pytest.raises(BadSetting, match="either sql or records"):
            operator._rows(context, window)
    assert list(WolkvoxStageOperator(task_id="stage", records=[])._rows(context, window)) == []
    assert "records" not in WolkvoxStageOperator.template_fields, "the UI shows what templates were filled with"


@pytest.mark.parametrize("records", ["preview", b"17", {"customer_id": "1"}, 7, object()])
def test_records_that_are_no_collection_of_mappings_are_refused_with_what_to_give(records: Any) -> None:
    with pytest.raises(BadSetting, match=r"records is of type \w+: give a list of mappings .* or a table of pandas"):
        list(customers_of_records(records))


class Frame:
    """As much of a pandas table as is used; its truth is ambiguous, as theirs is."""

    columns = (*COLUMNS, "channel")

    def __bool__(self) -> bool:
        raise ValueError("The truth value of a DataFrame is ambiguous.")

    def itertuples(self, *, index: bool, name: str | None) -> list[tuple[Any, ...]]:
        assert (index, name) == (False, None)
        return [(*row(), "sms")]


def test_a_table_is_handed_over_as_it_is() -> None:
    operator = WolkvoxStageOperator(task_id="stage", records=cast("Any", Frame()))
    assert list(operator._rows(cast("Any", {}), WINDOW)) == [[*row(), "sms", None]]
