"""Warehouses of other makes than PostgreSQL."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import Connection
from contact_rows import BOGOTA, NOON
from debian import home, program, serving
from sandbox_server import free_port
from sqlalchemy import Engine, create_engine, text

MOMENTS = [
    NOON - timedelta(seconds=1),
    NOON,
    NOON + timedelta(minutes=15) - timedelta(seconds=1),
    NOON + timedelta(minutes=15),
]


def by_engine(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    """Airflow's hook of a database whose provider isn't installed here: what SQLAlchemy makes of it is the same."""

    class Hook(DbApiHook):
        conn_name_attr = "warehouse"

        def get_sqlalchemy_engine(self, engine_kwargs: dict[str, Any] | None = None) -> Engine:
            return engine

    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "other://")
    monkeypatch.setattr(Connection, "get_hook", lambda self, **_: Hook())


def fill_other(engine: Engine, moment_type: str) -> None:
    """The table as this database would have it: moments on Bogota's clock, ids as numbers, a text with accents."""
    with engine.begin() as database:
        if moment_type == "timestamptz":
            database.execute(text("SET TimeZone = 'America/Bogota'"))
        database.execute(
            text(
                "CREATE TABLE contacted_customers (type_campaign varchar(20), campaign_id bigint, customer_id bigint,"
                f" cod_act integer, cod_act_2 integer, comment varchar(200), contacted_at {moment_type})"
            )
        )
        for number, moment in enumerate(MOMENTS):
            told = moment.astimezone(BOGOTA).replace(tzinfo=None)
            insert = text("INSERT INTO contacted_customers VALUES ('preview', 17, :id, 5, NULL, 'llamó 👍', :moment)")
            database.execute(insert, {"id": 52_998_000 + number, "moment": told})


@contextmanager
def running_mariadb() -> Iterator[Engine]:
    """A MariaDB of Debian's, with an empty database."""
    server, install = program("mariadbd", "mariadb-server"), program("mariadb-install-db", "mariadb-server")
    with home() as folder:
        port, user = free_port(), "mysql" if os.geteuid() == 0 else getpass.getuser()
        data = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={user}"]
        made = subprocess.run(
            [install, *data, "--auth-root-authentication-method=normal"], check=False, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stdout + made.stderr
        command = [server, *data, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"]
        with serving([*command, f"--pid-file={folder / 'pid'}"], port, folder / "log"):
            with create_engine(f"mysql+pymysql://root@127.0.0.1:{port}/").begin() as database:
                database.execute(text("CREATE DATABASE warehouse CHARACTER SET utf8mb4"))
            yield create_engine(f"mysql+pymysql://root@127.0.0.1:{port}/warehouse?charset=utf8mb4")


@pytest.fixture
def mariadb() -> Iterator[Engine]:
    with running_mariadb() as engine:
        yield engine
