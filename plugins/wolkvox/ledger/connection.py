"""Opens connections to the ledger's PostgreSQL, set up as the product needs them, and reads its SQL files."""

from __future__ import annotations

import logging
import re
import secrets
import select
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from wolkvox.errors import BadSetting, LedgerSlow, LedgerUnavailable, Stopped, WolkvoxError
from wolkvox.ledger.locks import Lock
from wolkvox.stop import LOOK, Stop

log = logging.getLogger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]

STATEMENT_TIMEOUT = 900.0  # seconds of silence of PostgreSQL during a statement: staging millions takes minutes
STOP_TIMEOUT = 3.0  # seconds that a statement may still take after the task was told to stop
OPENING_TIMEOUT = 5.0  # seconds that each statement may take that sets up and checks a session
OTHER_TIMEOUT = 2.0  # seconds that a pooler may take to open another session
CONNECT_TIMEOUT_TOTAL = 30.0  # seconds that a task waits for a server that is full, or restarts
CONNECT_PAUSE = 1.0  # seconds between two tries

# Settings of libpq that the Airflow connection may override: the kernel detects a server that vanished within a minute,
# and one that can't be reached within seconds.
_DEFAULTS = {
    "connect_timeout": 4,  # a stop is not heeded meanwhile
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,  # milliseconds
    "application_name": "wolkvox-codify",
}
# Servers, databases and roles may have other defaults. The keepalives are the server's: the session of a machine that
# lost its power holds its locks until PostgreSQL ends it.
_SESSION = """
    SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC';
    SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;
    SET statement_timeout = 0; SET lock_timeout = 0;
    SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0;
    SET client_connection_check_interval = '5s';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout' -- since PostgreSQL 17
"""
# Why there is no connection: errors that a person has to correct, and those that pass by themselves, in English or
# Spanish. An error in another language counts as one to correct.
_TO_CORRECT = re.compile(r"FATAL|password|certificate|does not support SSL", re.IGNORECASE)
_WILL_PASS = re.compile(
    r"too many|connection slots|no more connections|starting up|shutting down|recovery mode|not (yet )?accepting"
    r"|demasiad|iniciándose|apagándose|modo de recuperación",
    re.IGNORECASE,
)

POOLED = (
    "The ledger at connection {!r} is behind a pooler that gives one database session to several clients (PgBouncer"
    " with pool_mode = transaction or statement, for instance). The limit of two requests rests on locks that belong"
    " to a session: connect to PostgreSQL itself, or through a pool with pool_mode = session. Nothing was sent."
)


@cache
def sql(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


class LedgerConnection(psycopg.Connection[tuple[Any, ...]]):
    """
    A connection whose waits end when the task is told to stop, or after ``timeout`` seconds of silence.

    The connection is closed then: a silent server may be alive, or a firewall may drop its packets.
    """

    stop: Stop | None = None
    timeout: float = STATEMENT_TIMEOUT

    def wait(self, gen: Generator[Any, Any, Any], interval: float = LOOK, timeout: float | None = None) -> Any:
        """Wait for PostgreSQL as psycopg does, and check the stop and the time-out now and then."""
        more = {} if timeout is None else {"timeout": timeout}  # older releases of psycopg have no such parameter
        return super().wait(self._watched(gen), interval, **more)

    def _watched(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        began = time.monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready:
                    self._check_wait(began)
                state = gen.send(ready)
        except StopIteration as end:
            return end.value

    def results(self) -> list[PGresult]:
        """All results of what was sent through libpq; waits as ``wait`` does."""
        pgconn, began = self.pgconn, time.monotonic()
        results: list[PGresult] = []
        while True:
            while pgconn.is_busy():
                if not self._poll.poll(LOOK * 1_000):
                    self._check_wait(began)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                return results
            results.append(result)

    @property
    def _poll(self) -> select.poll:
        poll: select.poll | None = self.__dict__.get("_polled")
        if poll is None:
            poll = self.__dict__["_polled"] = select.poll()
            poll.register(self.pgconn.socket, select.POLLIN)
        return poll

    def _check_wait(self, began: float) -> None:
        waited = time.monotonic() - began
        if self.stop is not None and self.stop.is_set() and waited > STOP_TIMEOUT:
            self.pgconn.finish()
            raise Stopped(f"Told to stop while PostgreSQL said nothing for {waited:.0f} s.")
        if waited > self.timeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"PostgreSQL said nothing for {waited:.0f} s.")


class _Hook(PostgresHook):
    """Airflow's hook, with the row factory and the autocommit that the ledger needs."""

    def _get_cursor_config(self, raw_cursor: str) -> tuple[str, Any]:
        return "row_factory", tuple_row

    def _create_connection(self, conn_args: dict[str, Any]) -> LedgerConnection:
        return LedgerConnection.connect(**{**_DEFAULTS, **conn_args, "autocommit": True})


def connect(
    ledger_conn_id: str, stop: Stop | None = None, *, writing: bool = True, timeout: float = STATEMENT_TIMEOUT
) -> LedgerConnection:
    """
    Open a connection in autocommit mode, its session set up as the product needs it, whatever the server's defaults.

    :param stop: ends every wait when set
    :param writing: whether to refuse a read-only server and a pooler that shares sessions
    :param timeout: seconds of silence of PostgreSQL after which a statement's connection is closed
    :raises LedgerUnavailable: when PostgreSQL can't be reached, or can't be written to at the moment
    :raises BadSetting: when a pooler shares its sessions
    """
    hook = _Hook(postgres_conn_id=ledger_conn_id)
    try:
        connection = _open(hook, stop)
        try:
            if writing:
                _refuse_read_only(connection, ledger_conn_id)
                if _is_shared(connection, hook):
                    raise BadSetting(POOLED.format(ledger_conn_id))
        except BaseException:
            connection.close()
            raise
    except psycopg.OperationalError as error:
        raise LedgerUnavailable(
            f"The ledger at connection {ledger_conn_id!r} can't be reached. {one_line(error)} Check that"
            " PostgreSQL runs and that host, database, login and password are right."
        ) from error
    except psycopg.errors.UndefinedObject as error:
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} needs PostgreSQL 15 or newer. {one_line(error)}"
        ) from error
    connection.timeout = timeout
    return connection


def _connect_patiently(ledger_conn_id: str, stop: Stop, *, writing: bool) -> LedgerConnection:
    """Connect, and try again for half a minute where the error passes by itself: a failure costs the run."""
    until = time.monotonic() + CONNECT_TIMEOUT_TOTAL
    while True:
        try:
            return connect(ledger_conn_id, stop, writing=writing)
        except LedgerUnavailable as error:
            if not _passes(error) or time.monotonic() >= until:
                raise
            log.info("%s Trying again for up to %.0f s.", error, until - time.monotonic())
        if stop.wait(CONNECT_PAUSE):
            raise Stopped("Told to stop while the ledger took no connection.")


def _passes(error: LedgerUnavailable) -> bool:
    """Whether the error passes by itself. A read-only server counts: it is in the middle of a failover."""
    why = str(error.__cause__ or "")
    return not _TO_CORRECT.search(why) or _WILL_PASS.search(why) is not None


def _open(hook: _Hook, stop: Stop | None) -> LedgerConnection:
    connection = hook.get_conn()
    assert isinstance(connection, LedgerConnection)
    connection.stop, connection.timeout = stop, OPENING_TIMEOUT
    connection.execute(_SESSION)
    return connection


def _refuse_read_only(connection: Connection, ledger_conn_id: str) -> None:
    row = connection.execute(
        "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
    ).fetchone()
    if row is None or row[0]:
        raise LedgerUnavailable(
            f"The ledger at connection {ledger_conn_id!r} is read-only: a standby, or a server in the middle of a"
            " failover. Nothing is sent until it can be written to."
        )


def _is_shared(connection: LedgerConnection, hook: _Hook) -> bool:
    """
    Whether a pooler may give this session to others between two statements, or releases its locks.

    PostgreSQL's greeting has the number of the session; a pooler's greeting has a number of its own.
    """
    own = _pid(connection)
    if own != connection.info.backend_pid and _pid_of_another(hook, connection.stop) == own:
        return True
    number = secrets.randbelow(2**31)
    connection.execute("SELECT pg_advisory_lock(%s, %s)", (Lock.POOLER.value, number))
    kept = connection.execute(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid, objsubid) = (%s, %s, 2)",
        (Lock.POOLER.value, number),
    ).fetchall()
    now = _pid(connection)
    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (Lock.POOLER.value, number))
    return kept != [(own,)] or now != own


def _pid_of_another(hook: _Hook, stop: Stop | None) -> int | None:
    """The session number that a second client gets; None when no connection is left for it."""
    try:
        other = _open(hook, stop)
    except psycopg.OperationalError:
        return None
    other.timeout = OTHER_TIMEOUT
    try:
        with other.transaction():
            return _pid(other)
    except psycopg.OperationalError:
        return None
    finally:
        other.close()


def _pid(connection: Connection) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def now_of(connection: Connection) -> datetime:
    """The ledger's time, by which all tasks count days, ages and waits."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    timestamp: datetime = row[0]
    return timestamp


def one_line(error: Exception) -> str:
    """PostgreSQL's message as one sentence, without detail and context, which quote rows."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return f"{' '.join((primary or str(error)).split()).rstrip('.?')}."


def refusal(error: psycopg.Error) -> WolkvoxError:
    """The error to raise instead of PostgreSQL's, whose text may quote a customer's row."""
    what = f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return LedgerUnavailable(f"The ledger went away. {one_line(error)} Nothing of the current step was kept.")
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return LedgerUnavailable(
            f"The ledger can't be written to. {one_line(error)} Nothing of the current step was kept."
        )
    if isinstance(error, psycopg.errors.QueryCanceled):
        return LedgerSlow(f"The ledger ended the current step ({what}). {one_line(error)}")
    if isinstance(error, psycopg.DataError):
        return WolkvoxError(
            f"The ledger refused a value ({what}); nothing of the current step was kept. Please report this: every"
            " value should have been checked before."
        )
    return WolkvoxError(f"The ledger refused the current step ({what}). {one_line(error)} Nothing of it was kept.")


@contextmanager
def connected(ledger_conn_id: str, stop: Stop | None = None, *, writing: bool = True) -> Iterator[LedgerConnection]:
    """
    A connection for the length of a ``with`` block; errors as ``connect``, and those of ``explained``.

    :param stop: of a task, which waits up to half a minute where the server is full or restarts, unless it is set;
        without one nothing waits
    """
    if stop is None:
        connection = connect(ledger_conn_id, writing=writing)
    else:
        connection = _connect_patiently(ledger_conn_id, stop, writing=writing)
    try:
        with explained(ledger_conn_id):
            yield connection
    finally:
        connection.close()


@contextmanager
def explained(ledger_conn_id: str) -> Iterator[None]:
    """Replace PostgreSQL's errors by those of ``refusal``; where tables are missing, by one that says to migrate."""
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        missing = "no ledger yet" if isinstance(error, psycopg.errors.UndefinedTable) else "an older ledger"
        raise LedgerUnavailable(
            f"The database of connection {ledger_conn_id!r} holds {missing}: run `python -m wolkvox migrate`."
        ) from error
    except psycopg.Error as error:
        raise refusal(error) from None


def now(ledger_conn_id: str) -> datetime:
    """The ledger's time, over a connection opened for it."""
    with connected(ledger_conn_id, writing=False) as connection:
        return now_of(connection)
