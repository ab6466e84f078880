"""Databases without an engine here: what is sent to them, as their own packages make it of the query."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_environment import ROOT, uv

PACKAGES = (
    "SQLAlchemy==2.0.58",
    "clickhouse-sqlalchemy==0.3.2",
    "oracledb==26.1.0",
    "pymssql==2.4.6",
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

from clickhouse_sqlalchemy.drivers.http.escaper import Escaper
from google.cloud.bigquery.dbapi._helpers import scalar_to_query_parameter
from trino.dbapi import Cursor

moment = datetime(2026, 3, 2, 7, 0, 0, 123456, ZoneInfo("America/Bogota"))
sent = {
    "clickhouse": Escaper().escape_item(moment),
    "trino": Cursor._format_prepared_param(None, moment),
    "bigquery": scalar_to_query_parameter(moment).to_api_repr()["parameterValue"]["value"],
}
print(json.dumps([compiled, sent]))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    """The query by dialect, and a moment as three drivers send it."""
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


def test_moments_reach_the_database_with_their_zone_but_for_clickhouse(
    said: tuple[dict[str, str], dict[str, str]],
) -> None:
    """The docs say what the query must do where they don't."""
    assert said[1] == {
        "clickhouse": "'2026-03-02 07:00:00'",
        "trino": "TIMESTAMP '2026-03-02 07:00:00.123456 America/Bogota'",
        "bigquery": "2026-03-02 12:00:00.123456+00:00",
    }
    docs = (ROOT / "docs" / "warehouses.md").read_text(encoding="utf-8")
    assert "toDateTime(:window_start, 'America/Bogota')" in docs
