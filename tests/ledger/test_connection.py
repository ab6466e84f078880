"""The ledger's sessions: whatever the server's defaults, behind poolers, silent servers and failovers."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
from conftest import Database
from crew import OWNER, SQL, Crew, fill, sent_again, stage, states, wait_until
from crew import connect as connect_sandbox
from debian import home, program, serving
from sandbox_server import SandboxServer, free_port
from wire import Wire

from wolkvox.errors import BadSetting, LedgerUnavailable, Stopped
from wolkvox.ledger.connection import LedgerConnection, _passes, connect, connected
from wolkvox.ledger.leases import LeaseRules
from wolkvox.ledger.migrate import migrate
from wolkvox.ledger.reports import backlog
from wolkvox.ledger.sending import ChunkSession
from wolkvox.rules.records import Settled
from wolkvox.rules.runs import Chunk
from wolkvox.rules.states import State
from wolkvox.stop import Stop

RULES = LeaseRules(7, "0041", 1.0, 5.0)
PGBOUNCER = """
[databases]
* = host={socket} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
{user}
{more}
"""


@pytest.fixture
def pooled(ledger: Database, postgres_socket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts PgBouncer between Airflow and the ledger, in a pool mode, with more settings if need be."""
    binary = program("pgbouncer", "pgbouncer")
    with ExitStack() as servers:

        def pool(mode: str, *more: str) -> None:
            folder, port = servers.enter_context(home()), free_port()
            owner = postgres_socket.owner()  # who may read the socket; PgBouncer refuses to be root's
            user = f"user = {'nobody' if owner == 'root' else owner}" if os.geteuid() == 0 else ""
            text = PGBOUNCER.format(socket=postgres_socket, port=port, mode=mode, user=user, more="\n".join(more))
            (folder / "ini").write_text(text)
            servers.enter_context(serving([binary, str(folder / "ini")], port, folder / "log"))
            name = ledger.uri.rpartition("/")[2]
            monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", f"postgresql://postgres@127.0.0.1:{port}/{name}")

        yield pool


def by_extra(ledger: Database, monkeypatch: pytest.MonkeyPatch, **extra: object) -> None:
    """The same ledger, by a connection with an extra."""
    socket, name = unquote(ledger.uri.partition("@")[2].partition("/")[0]), ledger.uri.rpartition("/")[2]
    told = {"conn_type": "postgres", "host": socket, "login": "postgres", "schema": name, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", json.dumps(told))


# Whatever the defaults


@pytest.mark.parametrize(
    "default",
    [
        "DateStyle = 'SQL, DMY'",
        "DateStyle = 'German'",
        "IntervalStyle = 'iso_8601'",
        "TimeZone = 'America/Bogota'",
        "idle_in_transaction_session_timeout = '300ms'",
        "transaction_timeout = '300ms'",
        "statement_timeout = '300ms'",
        "lock_timeout = '1ms'",
        "default_transaction_isolation = 'serializable'",
        "bytea_output = 'escape'",
        "client_encoding = 'LATIN1'",
    ],
)
def test_a_whole_run_works_whatever_the_database_has_for_defaults(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, default: str
) -> None:
    name = ledger.uri.rpartition("/")[2]
    known = not default.startswith("transaction_timeout") or ledger.connection.info.server_version >= 170_000
    if known:  # an older PostgreSQL has no such default to be wrong
        ledger.execute(f"ALTER DATABASE {name} SET {default}")
    fill(warehouse, 20)
    warehouse.execute("UPDATE contacted_customers SET comment = 'ñandú 中 👍'")
    slow = SQL.replace("FROM contacted", ", pg_sleep(0.02) FROM contacted")
    for chunk in stage(sql=slow)[0]:
        crew.codify(chunk).tally()
    assert states(ledger) == {"coded": 20}
    assert ledger.value("SELECT DISTINCT comment FROM wolkvox.codification") == "ñandú 中 👍"


def test_a_whole_run_works_whatever_the_environment_says(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGTZ", "America/Bogota")
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    fill(warehouse, 3)
    warehouse.execute("UPDATE contacted_customers SET comment = '中'")
    assert stage()[1]["records"] == 3
    assert ledger.value("SELECT DISTINCT comment FROM wolkvox.codification") == "中"


@pytest.mark.parametrize("cursor", ["dictcursor", "realdictcursor", "namedtuplecursor", "nonsense"])
def test_rows_are_what_the_product_expects_whatever_cursor_a_connection_names(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, cursor: str
) -> None:
    by_extra(ledger, monkeypatch, cursor=cursor)
    with connected("wolkvox_ledger") as connection:
        assert backlog(connection, "0041").waiting == 0
        assert connection.execute("SELECT 1, 2").fetchone() == (1, 2)


def test_a_connection_may_say_how_a_server_is_reached(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    by_extra(ledger, monkeypatch, application_name="mine", keepalives_idle=7)
    with connected("wolkvox_ledger") as connection:
        assert connection.info.get_parameters()["keepalives_idle"] == "7"
        assert connection.execute("SHOW application_name").fetchone() == ("mine",)


# Poolers


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("transaction", ()),
        ("statement", ()),
        ("transaction", ("server_round_robin = 1", "min_pool_size = 3")),
        ("transaction", ("default_pool_size = 1",)),
        # what the community's chart of Airflow does after every transaction
        ("transaction", ("server_reset_query = SELECT pg_advisory_unlock_all()", "server_reset_query_always = 1")),
    ],
)
def test_a_pooler_that_shares_sessions_is_refused_within_a_second_and_no_call_is_made(
    pooled: Callable[..., None], warehouse: Database, sandbox: SandboxServer, mode: str, more: Sequence[str]
) -> None:
    pooled(mode, *more)
    fill(warehouse, 20)
    took = []
    for _ in range(3):  # other sessions of the pool are idle by then
        began = time.monotonic()
        with pytest.raises(BadSetting, match=r"'wolkvox_ledger'.*pool_mode = session"):
            stage()
        took.append(time.monotonic() - began)
    assert min(took) < 1.0
    assert sandbox.stats()["calls"] == 0


def test_locks_that_a_pooler_lets_go_after_each_transaction_are_missed(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler that keeps the session, and runs pg_advisory_unlock_all() in it between two statements."""
    real = LedgerConnection.execute

    def execute(self: LedgerConnection, *args: Any, **kwargs: Any) -> Any:
        result = real(self, *args, **kwargs)
        if "pg_advisory_lock" in str(args[0]):
            real(self, "SELECT pg_advisory_unlock_all()")
        return result

    monkeypatch.setattr(LedgerConnection, "execute", execute)
    with pytest.raises(BadSetting, match="pooler"):
        connect("wolkvox_ledger")


def test_a_pool_of_sessions_keeps_every_promise_kills_included(
    pooled: Callable[..., None], ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    pooled("session", "default_pool_size = 20")
    connect_sandbox(sandbox, preflight=False, call_timeout=2)
    sandbox.control(latency=0.002)
    fill(warehouse, 2_000)
    kills = 0
    for run in range(4):
        workers = [crew.codify(chunk) for chunk in stage(f"run {run}", chunk_size=1_000)[0]]
        if run < 3:
            goal = sandbox.stats()["coded"] + 150
            wait_until(partial(lambda goal: sandbox.stats()["coded"] > goal, goal))
            for worker in workers:
                worker.kill()
                kills += 1
        else:
            for worker in workers:
                worker.tally(120.0)
    for chunk in stage("last")[0]:
        crew.codify(chunk).tally()
    stats = sandbox.stats()
    assert (states(ledger), stats["coded"], stats["peak_in_flight"]) == ({"coded": 2_000}, 2_000, 2)
    assert sent_again(stats) <= kills
    assert ledger.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


# Servers that fall silent, and failovers


def session(stop: Stop, chunk: Chunk, retry_policy: float) -> ChunkSession:
    return ChunkSession(lambda: connect("wolkvox_ledger", stop), chunk, RULES, OWNER, stop, ledger_timeout=retry_policy)


def test_patience_with_a_silent_server_ends_when_it_should(
    wire: Wire, warehouse: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, 2)
    (chunk,) = stage()[0][:1]
    with session(Stop(), chunk, 4.0) as ledger:
        record = ledger.take(1)[0].id
        assert ledger.advance(None, record)
        wire.fall_silent()
        began = time.monotonic()
        with pytest.raises(LedgerUnavailable, match="out of reach for 4 s"):
            ledger.advance(Settled(record, State.CODED, None, "202", "coded"), None)
        assert 4.0 <= time.monotonic() - began < 4.0 + 6.0


def test_what_a_silent_server_missed_is_written_when_it_speaks_again(
    wire: Wire, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, 2)
    (chunk,) = stage()[0][:1]
    with session(Stop(), chunk, 8.0) as held:
        record = held.take(1)[0].id
        assert held.advance(None, record)
        wire.fall_silent()
        threading.Timer(3.0, wire.speak).start()
        held.advance(Settled(record, State.CODED, None, "202", "coded"), None)
    assert ledger.value("SELECT state FROM wolkvox.codification WHERE id = %s", record) == "coded"


@pytest.mark.parametrize("during", ["a statement", "a flush", "an opening"])
def test_a_stop_is_heeded_within_seconds_though_the_server_is_silent(
    wire: Wire, warehouse: Database, sandbox: SandboxServer, during: str
) -> None:
    fill(warehouse, 3)
    (chunk,) = stage()[0][:1]
    stop = Stop()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    if during == "an opening":
        wire.fall_silent()
        with pytest.raises(Stopped), session(stop, chunk, 60.0):
            pass
    else:
        with session(stop, chunk, 60.0) as held:
            first = held.take(1)[0].id
            if during == "a flush":
                held.advance(None, first)
            wire.fall_silent()
            with pytest.raises(Stopped):
                held.advance(None, first)
    assert time.monotonic() - began < 8.0


def test_a_stage_that_waits_for_a_silent_server_heeds_a_stop(wire: Wire) -> None:
    stop = Stop()
    with connected("wolkvox_ledger", stop) as connection:
        wire.fall_silent()
        stop.set()
        began = time.monotonic()
        with pytest.raises(Stopped):
            connection.execute("SELECT 1")
    assert time.monotonic() - began < 7.0


@contextmanager
def read_only(ledger: Database) -> Iterator[None]:
    """The server as a failover leaves it for a while."""
    ledger.execute("SET default_transaction_read_only = off")
    ledger.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    ledger.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        ledger.execute("ALTER SYSTEM RESET default_transaction_read_only")
        ledger.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("ended", [False, True], ids=["sessions stay", "sessions end"])
def test_a_failover_to_read_only_and_back_sends_nothing_twice(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, ended: bool
) -> None:
    connect_sandbox(sandbox, preflight=False)
    sandbox.control(latency=0.01)
    fill(warehouse, 400)
    workers = [crew.codify(chunk) for chunk in stage(chunk_size=200)[0]]
    wait_until(lambda: sandbox.stats()["coded"] > 50)
    with read_only(ledger):
        if ended:
            ledger.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND application_name = 'wolkvox-codify'"
            )
        time.sleep(0.5)
        before = sandbox.stats()["codify_calls"]
        time.sleep(3.0)
        assert sandbox.stats()["codify_calls"] == before, "nothing is sent meanwhile"
    for worker in workers:
        worker.tally()
    stats = sandbox.stats()
    assert (states(ledger), sent_again(stats), stats["peak_in_flight"]) == ({"coded": 400}, 0, 2)


def test_a_server_that_is_read_only_says_so(ledger: Database) -> None:
    with read_only(ledger), pytest.raises(LedgerUnavailable, match="read-only: a standby"):
        connect("wolkvox_ledger")


@pytest.mark.parametrize("sqlstate", ["57P01", "57P02", "57P03", "40001", "40P01", "25006", "08006"])
def test_an_error_that_will_pass_is_waited_out(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, sqlstate: str
) -> None:
    fill(warehouse, 1)
    (chunk,) = stage()[0]
    times = iter(range(2))
    with session(Stop(), chunk, 30.0) as held:

        def work(connection: Any) -> str:
            if next(times, None) is not None:
                connection.execute(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")
            return "done"

        assert held.run(work) == "done"


# Servers that take no connection for a moment


@pytest.fixture
def full(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Sets how many connections the role may have that the ledger is reached by."""
    ledger.execute("DROP ROLE IF EXISTS crowded")
    ledger.execute("CREATE ROLE crowded LOGIN")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", ledger.uri.replace("postgres@", "crowded@"))
    yield lambda limit: ledger.execute(f"ALTER ROLE crowded CONNECTION LIMIT {limit}")
    ledger.execute("DROP ROLE crowded")


def test_a_task_waits_for_a_server_that_is_full(full: Callable[[int], None]) -> None:
    full(0)
    room = threading.Timer(1.5, full, (-1,))
    room.start()
    began = time.monotonic()
    with connected("wolkvox_ledger", Stop()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert 1.5 <= time.monotonic() - began < 10.0
    room.join()


def test_a_task_that_waits_for_a_full_server_heeds_a_stop(full: Callable[[int], None]) -> None:
    full(0)
    stop = Stop()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped), connected("wolkvox_ledger", stop):
        pass
    assert time.monotonic() - began < 5.0


def test_the_wait_for_a_full_server_ends_and_whoever_is_no_task_does_not_wait(
    full: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    full(0)
    monkeypatch.setattr("wolkvox.ledger.connection.CONNECT_TIMEOUT_TOTAL", 2.0)
    for stop, least, most in ((Stop(), 2.0, 8.0), (None, 0.0, 1.5)):
        began = time.monotonic()
        with pytest.raises(LedgerUnavailable, match="too many connections"), connected("wolkvox_ledger", stop):
            pass
        assert least <= time.monotonic() - began < most


def test_a_task_waits_for_a_server_that_restarts(wire: Wire, ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its port takes no connection at first, then a failover leaves it read-only for a moment."""
    back = os.environ["AIRFLOW_CONN_WOLKVOX_LEDGER"]
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", back.replace(f":{wire.port}/", f":{free_port()}/"))
    port = threading.Timer(1.5, os.environ.__setitem__, ("AIRFLOW_CONN_WOLKVOX_LEDGER", back))
    with read_only(ledger):
        over = threading.Timer(3.0, ledger.execute, ("ALTER SYSTEM RESET default_transaction_read_only",))
        reloaded = threading.Timer(3.3, ledger.execute, ("SELECT pg_reload_conf()",))
        for timer in (port, over, reloaded):
            timer.start()
        began = time.monotonic()
        with connected("wolkvox_ledger", Stop()):
            assert 3.0 <= time.monotonic() - began < 12.0
        reloaded.join()


@pytest.mark.parametrize(
    ("good", "wrong"), [("postgres@", "nobody@"), ("/test_", "/no_such_")], ids=["no such login", "no such database"]
)
def test_what_somebody_has_to_correct_is_not_waited_for(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, good: str, wrong: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", ledger.uri.replace(good, wrong))
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable, match="login and password"), connected("wolkvox_ledger", Stop()):
        pass
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("connection failed: FATAL:  sorry, too many clients already", True),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", True),
        ("FATAL:  the database system is starting up", True),
        ("FATAL:  the database system is not yet accepting connections", True),
        ("FATAL:  no more connections allowed (max_client_conn)", True),
        ("FATAL:  lo siento, ya tenemos demasiados clientes", True),
        ("FATAL:  el sistema de base de datos está iniciándose", True),
        ("connection to server at 127.0.0.1 failed: Connection refused", True),
        ("server closed the connection unexpectedly", True),
        ('FATAL:  password authentication failed for user "x"', False),
        ("FATAL:  la autentificación password falló para el usuario «x»", False),
        ('FATAL:  database "x" does not exist', False),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', False),
        ("fe_sendauth: no password supplied", False),
        ("server does not support SSL, but SSL was required", False),
        ("SSL error: certificate verify failed", False),
    ],
)
def test_what_passes_by_itself_is_told_from_what_does_not(message: str, passes: bool) -> None:
    error = LedgerUnavailable("It can't be reached.")
    error.__cause__ = psycopg.OperationalError(message)
    assert _passes(error) is passes


# What can't work is refused


def test_a_migration_takes_its_time_whatever_the_server_lets_a_statement_take(
    warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = warehouse.uri.rpartition("/")[2]
    warehouse.execute(
        "CREATE FUNCTION slowly() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.15); END'"
    )
    warehouse.execute(
        "CREATE EVENT TRIGGER slowly ON ddl_command_end WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION slowly()"
    )
    hasty = ["statement_timeout"] + ["transaction_timeout"] * (warehouse.connection.info.server_version >= 170_000)
    for setting in hasty:
        warehouse.execute(f"ALTER DATABASE {name} SET {setting} = '100ms'")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", warehouse.uri)
    migrate()
    assert warehouse.value("SELECT to_regclass('wolkvox.codification') IS NOT NULL")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1252"])
def test_a_database_that_can_not_hold_every_letter_is_refused(
    postgres_socket: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    admin, name = Database(postgres_socket, "postgres"), f"wrong_{encoding.lower()}"
    admin.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", Database(postgres_socket, name).uri)
        with pytest.raises(BadSetting, match=rf"'wolkvox_ledger' is in {encoding}.*ENCODING 'UTF8'"):
            migrate()
        left = Database(postgres_socket, name)
        assert left.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'wolkvox'") == 0
    finally:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_login_that_may_not_make_the_schema_is_told_what_it_needs(
    warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.execute("DROP ROLE IF EXISTS powerless")
    warehouse.execute("CREATE ROLE powerless LOGIN")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", warehouse.uri.replace("postgres@", "powerless@"))
    with pytest.raises(BadSetting, match="GRANT CREATE ON DATABASE"):
        migrate()


def test_an_older_ledger_is_named_as_such(ledger: Database) -> None:
    ledger.execute("ALTER TABLE wolkvox.codification DROP COLUMN not_before")
    with (
        pytest.raises(LedgerUnavailable, match="an older ledger: run `python -m wolkvox migrate`"),
        connected("wolkvox_ledger") as connection,
    ):
        connection.execute("SELECT not_before FROM wolkvox.codification")
