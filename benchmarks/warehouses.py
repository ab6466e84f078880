"""Pulling from databases of other makes: rows a second against the loop that each one's own driver would make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine, text
from warehouses import running_mariadb

from benchmarks import workers
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place

TABLE = (
    "CREATE TABLE contacted_customers (type_campaign varchar(20), campaign_id varchar(20), customer_id bigint,"
    " cod_act varchar(20), cod_act_2 varchar(20), comment varchar(200), contacted_at {moment})"
)
COLUMNS = "'preview', '15501', 57300000000 + {n}, 'ACT', NULL, 'reached by WhatsApp', '2026-03-02 09:30:00'"
NUMBERS = {
    "postgresql": ("n", "generate_series(1, {rows}) AS n"),
    "duckdb": ("n", "range(1, {rows} + 1) AS numbers (n)"),
    "sqlite": (
        "n",
        "(WITH RECURSIVE one (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one LIMIT {rows}) SELECT n FROM one)",
    ),
    "mysql": ("seq", "seq_1_to_{rows}"),
}


def measure(place: Place) -> list[Figure]:
    """Each engine's rows a second over its driver's own, medians in turns; and memory for many rows over few."""
    rows, few = place.pick(1_000_000, 20_000), place.pick(200_000, 5_000)
    return [figure for name, engine in _engines(place) for figure in _measure(name, engine, rows, few, place)]


def _engines(place: Place) -> Iterator[tuple[str, Engine]]:
    with _postgresql(place) as engine:
        yield "PostgreSQL (psycopg2)", engine
    with running_mariadb() as engine:
        yield "MariaDB (PyMySQL)", engine
    yield "SQLite (sqlite3)", create_engine(f"sqlite:///{place.home / 'warehouse.db'}")
    yield "DuckDB (duckdb)", create_engine(f"duckdb:///{place.home / 'warehouse.duckdb'}")


@contextmanager
def _postgresql(place: Place) -> Iterator[Engine]:
    with place.warehouse() as database:
        database.execute("DROP TABLE contacted_customers")
        where = conninfo_to_dict(database.uri)
        engine = create_engine(f"postgresql+psycopg2://postgres@/{where['dbname']}?host={where['host']}")
        yield engine
        engine.dispose()


def _measure(name: str, engine: Engine, rows: int, few: int, place: Place) -> list[Figure]:
    _fill(engine, rows)
    address = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    seconds: dict[str, list[float]] = {"ours": [], "driver": []}
    peaks = {}
    for _ in range(place.pick(3, 1)):
        for whose, taken in seconds.items():
            taken.append(_pull(whose, address, rows)["seconds"])
    for count in (few, rows):
        peaks[count] = _pull("ours", address, count)["peak_mib"]
    ours, driver = median(seconds["ours"]), median(seconds["driver"])
    details = {"rows": rows, "rows_per_second": rows / ours, "driver_rows_per_second": rows / driver}
    more = peaks[rows] - peaks[few]
    return [
        Figure(
            f"pulling from {name}: rows a second over its driver's own loop",
            driver / ours,
            "times",
            0.7,
            details=details,
        ),
        Figure(f"pulling from {name}: more memory for {rows:,} rows than for {few:,}", more, "MiB", 30, at_most=True),
    ]


def _fill(engine: Engine, rows: int) -> None:
    number, numbers = NUMBERS[engine.dialect.name]
    with engine.begin() as database:
        database.execute(text(TABLE.format(moment="datetime" if engine.dialect.name == "mysql" else "timestamp")))
        moment = "timestamp " if engine.dialect.name in ("postgresql", "duckdb") else ""
        columns = COLUMNS.format(n=number).replace("'2026", f"{moment}'2026")
        # not as a parameter: its colons would be taken for one
        database.exec_driver_sql(f"INSERT INTO contacted_customers SELECT {columns} FROM {numbers.format(rows=rows)}")


def _pull(whose: str, address: str, rows: int) -> dict[str, float]:
    said = workers.run([workers.module("pull_worker", whose, address, str(rows))]).said[0]
    if said["rows"] != rows:
        raise BrokenMeasurement(f"{said['rows']} of {rows} rows were pulled by {whose}")
    return said
