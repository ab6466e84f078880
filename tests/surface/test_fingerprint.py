"""What the warehouse is asked every few seconds: one row, by an index, on the operation's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from conftest import Database
from contact_rows import INSERT, NOON, row
from crew import SQL as STATEMENT
from sqlalchemy import Engine, create_engine, event, text
from warehouses import MOMENTS, by_engine, fill_other

from wolkvox.errors import WolkvoxError
from wolkvox.rules.wake import Fingerprint
from wolkvox.rules.window import Window
from wolkvox.warehouse.fingerprints import fingerprint, window_fingerprint
from wolkvox.warehouse.sessions import engine_of

pytest_plugins = ("warehouses",)

WINDOW = Window(NOON, NOON + timedelta(minutes=15))


def counted(statement: str = STATEMENT, window: Window = WINDOW, zone: str = "America/Bogota") -> Fingerprint:
    return window_fingerprint("warehouse", statement, window, zone)


@pytest.fixture
def two(warehouse: Database) -> Database:
    """Two contacts in the window and one on each side of it."""
    for moment in MOMENTS:
        warehouse.execute(INSERT, *row(contacted_at=moment))
    return warehouse


def moment(found: Fingerprint) -> datetime | None:
    return None if found.newest is None else datetime.fromisoformat(found.newest)


def test_it_is_the_windows_rows_and_the_newest_of_them(two: Database) -> None:
    found = counted()
    assert (found.since, found.rows, moment(found)) == (NOON, 2, MOMENTS[2])


def test_an_empty_window_is_no_rows(warehouse: Database) -> None:
    assert counted() == Fingerprint(NOON, 0, None)


@pytest.mark.parametrize(
    "statement",
    [
        f"{STATEMENT};",
        f"{STATEMENT}\n ; \n",
        f"{STATEMENT};  -- done\n-- really",
        f"{STATEMENT};;\n;",
        f"{STATEMENT}; /* done; * really * */ /**/ -- quite\n/* so\n*/\n",
        f"-- Contacts of the day;\n-- {'-' * 100}\n/**//**/ {STATEMENT}; -- {'-' * 100}\n",
        f"/* a; */ {'/* b */' * 40} {STATEMENT}",
        f"{STATEMENT}-- no newline at the end",
        f"WITH mine AS ({STATEMENT}) SELECT * FROM mine",
        f"{STATEMENT} ORDER BY contacted_at DESC",
        f"{STATEMENT} AND comment <> ';' -- don't",
        f"{STATEMENT} UNION ALL {STATEMENT.replace('contacted_at >=', 'false AND contacted_at >=')}",
    ],
)
def test_whatever_a_query_ends_with_it_can_be_counted(two: Database, statement: str) -> None:
    assert counted(statement).rows == 2


@pytest.mark.parametrize("zone", ["America/Bogota", "UTC", "Asia/Kolkata"])
def test_a_column_without_a_zone_is_counted_on_the_zones_clock(two: Database, zone: str) -> None:
    two.execute(f"SET TimeZone = '{zone}'; ALTER TABLE contacted_customers ALTER contacted_at TYPE timestamp")
    assert counted(zone=zone).rows == 2


def test_a_newest_value_that_is_no_moment_is_kept_as_a_digest(two: Database) -> None:
    """A query may call anything ``contacted_at``."""
    strange = "SELECT customer_id AS contacted_at FROM contacted_customers"
    two.execute("UPDATE contacted_customers SET customer_id = '573001234567'")
    found = counted(strange)
    assert found.rows == 4
    assert found.newest is not None
    assert "573001234567" not in found.newest
    two.execute("UPDATE contacted_customers SET customer_id = '573001234568'")
    assert counted(strange).newest != found.newest


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT 1 AS customer_id", 'column "contacted_at" does not exist'),
        ("SELECT '573001234567'::int AS contacted_at", "out of range"),
        ("SELECT now() AS contacted_at, pg_sleep(6) OFFSET 0", "statement timeout"),
    ],
)
def test_a_query_that_can_not_be_counted_says_why_without_values(
    warehouse: Database, statement: str, message: str
) -> None:
    with pytest.raises(WolkvoxError, match=message) as raised:
        counted(statement)
    assert "573001234567" not in f"{raised.value!r} {raised.value.__cause__!r}"


# By an index


ROWS = 200_000


@pytest.fixture(scope="module")
def sent() -> list[tuple[str, Any]]:
    """Statements that were sent, with their parameters."""
    return []


@pytest.fixture
def explaining(warehouse: Database, sent: list[tuple[str, Any]]) -> Iterator[Engine]:
    """A warehouse of 400 days whose statements are kept."""
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT 'preview', '17', n::text, '5', NULL, repeat('x', 200),"
        f" now() - random() * interval '400 days' FROM generate_series(1, {ROWS}) AS n"
    )
    warehouse.execute("CREATE INDEX ON contacted_customers (contacted_at)")
    warehouse.execute("VACUUM ANALYZE contacted_customers")
    engine = engine_of("warehouse")
    sent.clear()
    event.listen(engine, "before_cursor_execute", lambda *told: sent.append((told[2], told[3])))
    yield engine
    engine.dispose()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("query", [STATEMENT, f"WITH mine AS ({STATEMENT}) SELECT * FROM mine;"])
def test_the_window_is_a_range_of_an_index(
    warehouse: Database, explaining: Engine, sent: list[tuple[str, Any]], query: str
) -> None:
    now = datetime.now(timezone.utc)
    found = fingerprint(explaining, query, Window(now - timedelta(days=1), now), "America/Bogota")
    assert 300 < found.rows < 800
    statement, parameters = sent[-1]
    cursor = psycopg.ClientCursor(warehouse.connection)
    ((told,),) = cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}".encode(), parameters).fetchall()
    kinds = {node["Node Type"] for node in nodes(told[0]["Plan"])}
    assert "Seq Scan" not in kinds
    assert kinds & {"Index Only Scan", "Index Scan", "Bitmap Index Scan"}
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in nodes(told[0]["Plan"])) < 1_000


# Other databases


def check_other(engine: Engine) -> None:
    """Two rows are counted, and one more when it comes."""
    found = counted()
    assert (found.rows, found.newest is None) == (2, False)
    assert counted() == found
    with engine.begin() as database:
        database.execute(text("INSERT INTO contacted_customers SELECT * FROM contacted_customers"))
    assert counted().rows == 4


@pytest.mark.parametrize("moment_type", ["timestamp", "timestamptz"])
def test_duckdb_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, moment_type: str) -> None:
    engine = create_engine(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
    by_engine(monkeypatch, engine)
    fill_other(engine, moment_type)
    check_other(engine)


def test_mariadb_is_counted_whatever_sqlalchemy_takes_it_for(mariadb: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    by_engine(monkeypatch, mariadb)
    fill_other(mariadb, "datetime")
    assert mariadb.dialect.name == "mysql"
    check_other(mariadb)


@pytest.mark.filterwarnings("ignore:The default datetime adapter is deprecated")
def test_sqlite_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'warehouse.db'}")
    by_engine(monkeypatch, engine)
    fill_other(engine, "text")
    check_other(engine)
