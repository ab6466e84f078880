"""
The connections that the triggers of one process share, and the threads that use them.

A trigger must not block Airflow's event loop, nor the threads that all triggers of an installation share. A warehouse
that hangs takes a few threads of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Engine, event

from wolkvox.ledger.connection import LedgerConnection, connect
from wolkvox.warehouse.sessions import engine_of

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

KEPT = 300.0  # seconds that what was opened is used: a connection may name another server by then, the old one alive
ANSWER_TIMEOUT = 30.0  # seconds for one use: finding a connection for the first time is slow
LEDGER_TIMEOUT = 5.0  # seconds for a statement of the ledger

# By driver, what bounds the wait for a server, in seconds (tcp_user_timeout: milliseconds).
_LIBPQ = {
    "connect_timeout": 4,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
_MYSQL = {"connect_timeout": 4, "read_timeout": 8}
_TIMEOUTS: dict[str, dict[str, Any]] = {
    "psycopg": _LIBPQ,
    "psycopg2": _LIBPQ,
    "pymysql": _MYSQL,
    "mysqldb": _MYSQL,
    "pymssql": {"login_timeout": 4, "timeout": 8},
}

Opened = TypeVar("Opened")
Result = TypeVar("Result")


class Shared(Generic[Opened]):
    """
    One thing that is kept open, and the threads that use it.

    :param make: opens it
    :param close: ends it, after an error or ``KEPT``; the next use opens it again, by the connection as it is then
    :param threads: how many use it at a time
    """

    def __init__(self, make: Callable[[], Opened], close: Callable[[Opened], object], threads: int) -> None:
        self._make, self._close = make, close
        self._pool = ThreadPoolExecutor(threads, "wolkvox-poll")
        self._lock = Lock()
        self._open: Opened | None = None
        self._opened_at = 0.0

    async def use(self, ask: Callable[[Opened], Result]) -> Result:
        """
        What ``ask`` returns, called in a thread.

        :raises TimeoutError: when it takes longer than ``ANSWER_TIMEOUT``
        """
        answer = asyncio.get_running_loop().run_in_executor(self._pool, self._ask, ask)
        try:
            # Not wait_for: up to Python 3.11 it swallows a cancellation that comes together with the answer.
            if not (await asyncio.wait({answer}, timeout=ANSWER_TIMEOUT))[0]:
                raise TimeoutError
            return answer.result()
        finally:
            answer.cancel()

    def _ask(self, ask: Callable[[Opened], Result]) -> Result:
        opened = self._current()
        try:
            return ask(opened)
        except BaseException:
            self._drop(opened)
            raise

    def _current(self) -> Opened:
        with self._lock:
            if self._open is not None and monotonic() - self._opened_at > KEPT:
                with suppress(Exception):
                    self._close(self._open)
                self._open = None
            if self._open is None:
                self._open, self._opened_at = self._make(), monotonic()
            return self._open

    def _drop(self, opened: Opened) -> None:
        with self._lock:
            if self._open is opened:
                self._open = None
        with suppress(Exception):
            self._close(opened)


_warehouses: dict[str, Shared[Engine]] = {}
_ledgers: dict[str, Shared[LedgerConnection]] = {}


def warehouse(conn_id: str) -> Shared[Engine]:
    """The engine of a warehouse, for triggers."""
    if conn_id not in _warehouses:
        _warehouses[conn_id] = Shared(lambda: _engine(conn_id), Engine.dispose, threads=3)
    return _warehouses[conn_id]


def ledger(conn_id: str) -> Shared[LedgerConnection]:
    """The connection to a ledger, for triggers."""
    if conn_id not in _ledgers:
        _ledgers[conn_id] = Shared(lambda: _connection(conn_id), LedgerConnection.close, threads=1)
    return _ledgers[conn_id]


def _connection(conn_id: str) -> LedgerConnection:
    return connect(conn_id, writing=False, timeout=LEDGER_TIMEOUT)


def _engine(conn_id: str) -> Engine:
    engine = engine_of(conn_id)
    event.listen(engine, "do_connect", _bound)
    return engine


def _bound(dialect: Dialect, record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
    """Give a new connection its time-outs, unless the Airflow connection has others."""
    for name, value in _TIMEOUTS.get(dialect.driver, {}).items():
        parameters.setdefault(name, value)
