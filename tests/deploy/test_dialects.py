"""Databases without an engine here: what is sent to them, as their own packages make it of the query."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from debian import program
from fresh_environment import ROOT, uv

pytestmark = pytest.mark.slow

PACKAGES = (
    "SQLAlchemy==2.0.58",
    "PyMySQL==1.2.4",
    "clickhouse-connect==1.12.0",
    "clickhouse-sqlalchemy==0.3.2",
    "databricks-sql-connector==4.9.0",
    "duckdb==2.0.1",
    "mysql-connector-python==26.10.0",
    "oracledb==26.1.0",
    "psycopg[binary]==3.3.9",
    "pyathena==4.2.1",
    "pymssql==2.4.6",
    "pyodbc==5.5.0",
    "psycopg2-binary==2.9.13",
    "snowflake-sqlalchemy==2.1.0 ; python_version >= '3.11'",
    "snowflake-sqlalchemy==1.11.1 ; python_version < '3.11'",
    "sqlalchemy-bigquery==1.17.3",
    "sqlalchemy-redshift==1.0.0",
    "trino[sqlalchemy]==0.340.0",
)
COLON, PERCENT = ":window_start", "%(window_start)s"
BOUNDS = {
    "bigquery://project/dataset": PERCENT,
    "clickhouse+http://host/db": PERCENT,
    "mssql+pymssql://host/db": PERCENT,
    "oracle+oracledb://host/?service_name=x": COLON,
    "redshift+psycopg2://host/db": PERCENT,
    "snowflake://user@account/db": PERCENT,
    "trino://user@host:80/catalog": "?",
}
SAY = """
import json, sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo
from sqlalchemy import text
from sqlalchemy.engine import make_url

query = text(Path(sys.argv[1]).read_text())
compiled = {}
for url in sys.argv[2:]:
    kind = make_url(url).get_dialect()
    compiled[url] = str(query.compile(dialect=kind(paramstyle=kind.import_dbapi().paramstyle)))

import duckdb
import psycopg2.extensions
import pymssql._mssql
import pymysql.converters
import pyodbc
from clickhouse_connect.driver.binding import format_query_value
from clickhouse_sqlalchemy.drivers.http.escaper import Escaper
from databricks.sql.parameters.native import dbsql_parameter_from_primitive
from google.cloud.bigquery.dbapi._helpers import scalar_to_query_parameter
from mysql.connector.conversion import MySQLConverter
from psycopg.adapt import PyFormat, Transformer
from pyathena.formatter import DefaultParameterFormatter
from trino.dbapi import Cursor

moment = datetime(2026, 3, 2, 7, 0, 0, 123456, ZoneInfo("America/Bogota"))
sent = {
    "clickhouse": Escaper().escape_item(moment),
    "trino": Cursor._format_prepared_param(None, moment),
    "bigquery": scalar_to_query_parameter(moment).to_api_repr()["parameterValue"]["value"],
    "pymssql": pymssql._mssql.substitute_params("%s", (moment,)).decode(),
    "pymysql": pymysql.converters.escape_item(moment, "utf8mb4"),
    "mysql-connector": MySQLConverter().to_mysql(moment).decode(),
    "psycopg": bytes(Transformer().get_dumper(moment, PyFormat.TEXT).dump(moment)).decode(),
    "psycopg2": psycopg2.extensions.adapt(moment).getquoted().decode(),
    "pyathena": DefaultParameterFormatter().format("%(moment)s", {"moment": moment}),
    "clickhouse-connect": format_query_value(moment),
    "databricks": dbsql_parameter_from_primitive(moment).as_tspark_param(True).value.stringValue,
    "duckdb": " ".join(duckdb.connect().execute("SET TimeZone = 'UTC'").execute(
        "SELECT typeof(?), CAST(? AS varchar)", [moment, moment]).fetchone()),
    "pyodbc": pyodbc.connect("Driver=SQLite3;Database=:memory:").execute(
        "SELECT CAST(? AS text)", moment).fetchone()[0],
}
print(json.dumps([compiled, sent]))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    """The query by dialect, and a moment as three drivers send it."""
    program("odbcinst", "odbcinst", "libsqliteodbc", "libodbc2")  # pyodbc sends through some driver only
    folder = tmp_path_factory.mktemp("dialects") / "venv"
    uv("venv", "--python", sys.executable, folder)
    uv("pip", "install", "--python", folder / "bin" / "python", *PACKAGES)
    query: Path = ROOT / "include" / "sql" / "contacted_customers.sql"
    command = [str(folder / "bin" / "python"), "-c", SAY, str(query), *BOUNDS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    compiled, sent = json.loads(done.stdout.splitlines()[-1])
    return compiled, sent


@pytest.mark.parametrize("url", BOUNDS)
def test_the_window_is_bound_and_never_written_into_the_query(
    said: tuple[dict[str, str], dict[str, str]], url: str
) -> None:
    assert f"contacted_at >= {BOUNDS[url]}" in said[0][url]


LOCAL, UTC = "2026-03-02 07:00:00.123456", "2026-03-02 12:00:00.123456"
WITH_ZONE = {
    "trino": f"TIMESTAMP '{LOCAL} America/Bogota'",
    "bigquery": f"{UTC}+00:00",
    "psycopg": f"{LOCAL}-05:00",
    "psycopg2": "'2026-03-02T07:00:00.123456-05:00'::timestamptz",
    "databricks": f"{LOCAL}-05:00",
    "duckdb": f"TIMESTAMP WITH TIME ZONE {UTC}+00",
}
WITHOUT_ZONE = {
    "clickhouse": "'2026-03-02 07:00:00'",
    "clickhouse-connect": "'2026-03-02 12:00:00'",
    "pymssql": f"'{LOCAL[:-3]}'",
    "pyodbc": LOCAL[:-3],
    "pymysql": f"'{LOCAL}'",
    "mysql-connector": LOCAL,
    "pyathena": f"TIMESTAMP '{LOCAL}'",
}
# What the query must say where a column has a zone and the driver drops that of the bounds; MySQL's session has one.
TO_WRITE = {
    "clickhouse-sqlalchemy": "toDateTime(:window_start, 'America/Bogota')",
    "clickhouse-connect": "toDateTime(:window_start, 'UTC')",
    "pymssql": "CAST(:window_start AS datetime2) AT TIME ZONE 'SA Pacific Standard Time'",
    "pyodbc": "CAST(:window_start AS datetime2) AT TIME ZONE 'SA Pacific Standard Time'",
    "PyAthena": "with_timezone(:window_start, 'America/Bogota')",
    "PyMySQL": "`TIMESTAMP`: nothing, the session is on the zone",
}


def test_each_driver_sends_a_bound_with_its_zone_or_without_one_as_the_documentation_says(
    said: tuple[dict[str, str], dict[str, str]],
) -> None:
    assert said[1] == WITH_ZONE | WITHOUT_ZONE


@pytest.mark.parametrize("driver", TO_WRITE)
def test_the_documentation_says_what_to_write_where_a_driver_drops_the_zone(driver: str) -> None:
    lines = (ROOT / "docs" / "warehouses.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {driver}")]
    assert TO_WRITE[driver] in line
