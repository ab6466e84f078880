"""Rows of the warehouse, as a stream."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException
from sqlalchemy import CursorResult, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from wolkvox.errors import BadSetting, WolkvoxError
from wolkvox.rules.contacts import COLUMNS, OPTIONAL, read_moment
from wolkvox.rules.tables import mappings
from wolkvox.rules.wake import Fingerprint
from wolkvox.rules.window import Window, hours_after
from wolkvox.stop import Stop
from wolkvox.waiting import ahead

# The end of a statement: what can't stand in brackets. Each comment can be read in one way only, or a line of dashes in
# the middle of a query would be tried in more ways than there is time for.
_END = re.compile(r"\s*(?:;(?:\s|;|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/)*)?\Z")
_VALUE = re.compile(r"'[^']*'|\d{5,}")
WHOLE = (len(COLUMNS), len(COLUMNS) + len(OPTIONAL))  # columns that need no filling in
BATCH = 1_000  # rows fetched at once: more of them take longer each
# By dialect, what lets a session read and compare moments on the clock of a zone, whatever the server's and the
# environment's defaults. A zone's name holds no quote: it is one that Python knows.
_SESSIONS = {
    "postgresql": (
        "SELECT set_config('TimeZone', '{zone}', true), set_config('client_encoding', 'UTF8', true),"
        " set_config('DateStyle', 'ISO, YMD', true)"
    ),
    "duckdb": "SET TimeZone = '{zone}'",
    "mysql": "SET time_zone = '{offset}'",
    "mariadb": "SET time_zone = '{offset}'",
    "oracle": "ALTER SESSION SET TIME_ZONE = '{zone}'",
    "snowflake": "ALTER SESSION SET TIMEZONE = '{zone}'",
}
# By dialect, what lets the server end a statement that takes longer than five seconds.
_SHORT = {
    "postgresql": "SET LOCAL statement_timeout = '5s'",
    "mysql": "SET SESSION max_execution_time = 5000",
    "mariadb": "SET SESSION max_statement_time = 5",
}


def contacted_customers(
    warehouse_conn_id: str, statement: str, window: Window, zone: str, stop: Stop | None = None
) -> Generator[Sequence[Any], None, None]:
    """
    Run the warehouse query and yield its rows, batch by batch, as values of ``contacts.COLUMNS`` and, where it gives
    any of them, of ``contacts.OPTIONAL``.

    :param statement: SQL with the bound parameters ``:window_start`` and ``:window_end``
    :param zone: the zone of a ``contacted_at`` without one: the window is compared to it on that zone's clock
    :param stop: ends the waiting for the warehouse when set, however long its query takes
    :raises BadSetting: when the connection is no SQL database, or the query lacks a column
    :raises Stopped: when ``stop`` was set
    """
    engine = engine_of(warehouse_conn_id)
    session = _session(engine.dialect.name, zone, window.end)
    query = _Query(engine, session, statement, _bounds(window, zone))
    try:
        with closing(ahead(query.batches(), stop or Stop(), query.cancel)) as batches:
            for rows in batches:
                yield from rows
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        raise _refusal(warehouse_conn_id, getattr(error, "orig", error)) from None


def future_contact(
    warehouse_conn_id: str, statement: str, now: datetime, zone: str, stop: Stop | None = None
) -> datetime | None:
    """
    When a contact takes place that is of the hours after now, by the first such row; None: there is none.

    The window of a run ends now, so it never shows them.

    :param zone: as for ``contacted_customers``
    :raises WolkvoxError: when the warehouse refuses the query
    """
    window = hours_after(now)
    with closing(contacted_customers(warehouse_conn_id, statement, window, zone, stop)) as rows:
        row = next(rows, None)
    contacted_at = None if row is None else read_moment(row[COLUMNS.index("contacted_at")], ZoneInfo(zone))
    return contacted_at if contacted_at is not None and contacted_at >= window.start else None


@dataclass(slots=True)
class _Query:
    """A query at work; ``session`` is what is said to the database before it."""

    engine: Engine
    session: str | None
    statement: str
    bounds: Mapping[str, datetime]
    at_work: Any = None  # the driver's own connection

    def batches(self) -> Generator[Iterable[Sequence[Any]], None, None]:
        """Its rows, some at a time."""
        try:
            with self.engine.connect().execution_options(stream_results=True) as database:
                self.at_work = database.connection.dbapi_connection
                if self.session:
                    database.exec_driver_sql(self.session)
                result = database.execute(text(self.statement), self.bounds)
                as_asked = _in_order(_positions(list(result.keys())))
                for rows in _batches(result):
                    yield as_asked(rows)
        finally:
            self.at_work = None
            self.engine.dispose()

    def cancel(self) -> None:
        """Ask the database to let go of it, where its driver can; others end it when the process is gone."""
        for name in ("cancel", "interrupt"):
            with suppress(Exception):  # of any driver; it's a courtesy
                getattr(self.at_work, name)()


def fingerprint(engine: Engine, statement: str, window: Window, zone: str) -> Fingerprint:
    """
    How many rows the warehouse query gives in a window, and the newest ``contacted_at`` of them.

    One row comes back: an index on ``contacted_at`` is all that the warehouse needs to read. It may take five seconds.

    :param statement: as for ``contacted_customers``; it must be able to stand in brackets
    :param zone: as for ``contacted_customers``
    :raises WolkvoxError: when the warehouse refuses it or takes longer
    """
    counting = text(f"SELECT count(*), max(contacted_at) FROM (\n{_END.sub('', statement)}\n) contacts")  # noqa: S608 - the operation's own query
    try:
        with engine.connect() as database:
            for setting in (_SHORT.get(_make(engine)), _session(engine.dialect.name, zone, window.end)):
                if setting:
                    database.exec_driver_sql(setting)
            rows, newest = database.execute(counting, _bounds(window, zone)).one()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        what = without_values(getattr(error, "orig", error))
        raise WolkvoxError(f"The warehouse did not count the window's rows: {what}") from None
    return Fingerprint(window.start, rows, None if newest is None else _as_text(newest))


def window_fingerprint(warehouse_conn_id: str, statement: str, window: Window, zone: str) -> Fingerprint:
    """``fingerprint`` through a connection that is opened for it alone."""
    engine = engine_of(warehouse_conn_id)
    try:
        return fingerprint(engine, statement, window, zone)
    finally:
        engine.dispose()


def _make(engine: Engine) -> str:
    """Whose database it is, once it was connected to: SQLAlchemy takes a MariaDB for a MySQL until then."""
    return "mariadb" if getattr(engine.dialect, "is_mariadb", False) else engine.dialect.name


def _as_text(newest: Any) -> str:
    """A moment as it is; whatever else a query calls ``contacted_at`` may be a customer's: its digest."""
    if isinstance(newest, datetime):
        return newest.isoformat()
    return hashlib.sha256(str(newest).encode()).hexdigest()[:12]


def _bounds(window: Window, zone: str) -> dict[str, datetime]:
    return {"window_start": _on_the_clock(window.start, zone), "window_end": _on_the_clock(window.end, zone)}


def _batches(result: CursorResult[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """The driver's own rows, some at a time: SQLAlchemy makes an object of each, which costs as much as pulling it."""
    first = result.fetchmany(1)  # of its own buffer: some drivers know the columns only then
    while rows := first or (result.cursor.fetchmany(BATCH) if result.cursor else ()):
        yield rows
        first = []


def _refusal(warehouse_conn_id: str, error: Any) -> WolkvoxError:
    """What the warehouse said, without the value that it may quote, which may be a customer's."""
    if any(kind.__name__ == "DataError" for kind in type(error).__mro__):
        return WolkvoxError(
            f"A value in the warehouse broke the query ({type(error).__name__}): run it by hand to see which,"
            " and mend the value or the query."
        )
    return WolkvoxError(f"The warehouse at connection {warehouse_conn_id!r} refused the query: {without_values(error)}")


def engine_of(warehouse_conn_id: str) -> Engine:
    """
    SQLAlchemy's way to a warehouse.

    :raises BadSetting: when the connection is no SQL database
    """
    connection = BaseHook.get_connection(warehouse_conn_id)
    try:
        hook = connection.get_hook()  # type: ignore[no-untyped-call]
    except AirflowException as error:
        raise BadSetting(f"Connection {warehouse_conn_id!r}: {error}. Install the provider of its type.") from error
    if not isinstance(hook, DbApiHook):
        raise BadSetting(
            f"Connection {warehouse_conn_id!r} is of type {connection.conn_type!r}, which is no SQL database:"
            " the warehouse needs one whose Airflow hook runs SQL."
        )
    engine: Engine = hook.get_sqlalchemy_engine()
    return engine


def customers_of_records(records: Any) -> Iterator[Sequence[Any]]:
    """
    Contacts that another task selected, as values of ``contacts.COLUMNS`` and ``contacts.OPTIONAL``.

    :param records: mappings, or a table of pandas, Polars or Arrow
    :raises BadSetting: when one is no mapping with the names of ``contacts.COLUMNS``, saying which and what is missing
    """
    for number, record in enumerate(mappings(records), start=1):
        missing = [name for name in COLUMNS if name not in record] if isinstance(record, Mapping) else COLUMNS
        if missing:
            raise BadSetting(f"Record {number} has no {', '.join(missing)}; it must have {', '.join(COLUMNS)}.")
        yield [record.get(name) for name in (*COLUMNS, *OPTIONAL)]


def without_values(error: Any) -> str:
    """What a driver's error says, in one line, without what may be somebody's: quoted texts and long numbers."""
    message = " ".join(str(part) for part in getattr(error, "args", ())) or str(error)
    line = (message.strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {_VALUE.sub('…', line)}"


def _session(dialect: str, zone: str, now: datetime) -> str | None:
    """The statement that puts a session on the zone's clock; None where none is needed or known."""
    offset = f"{now.astimezone(ZoneInfo(zone)):%z}"
    statement = _SESSIONS.get(dialect)
    return statement and statement.format(zone=ZoneInfo(zone).key, offset=f"{offset[:3]}:{offset[3:5]}")


def _positions(given: Sequence[str]) -> list[int | None]:
    """Where each column is, in whatever case (Snowflake and Oracle give names in capitals); None for an absent one."""
    folded = [name.lower() for name in given]
    missing = [name for name in COLUMNS if name not in folded]
    if missing:
        raise BadSetting(
            f"The warehouse query gives no column {', '.join(missing)}; it must select {', '.join(COLUMNS)}."
        )
    return [_position(name, given, folded) for name in (*COLUMNS, *OPTIONAL)]


def _position(name: str, given: Sequence[str], folded: Sequence[str]) -> int | None:
    if name in given:
        return list(given).index(name)
    return folded.index(name) if name in folded else None


def _in_order(positions: Sequence[int | None]) -> Callable[[Iterable[Sequence[Any]]], Iterable[Sequence[Any]]]:
    """What gives rows the order of the columns: nothing, a choice of their values, or one with gaps."""
    given = [place for place in positions if place is not None]
    if len(given) in WHOLE:
        return partial(map, itemgetter(*given))
    return lambda rows: ([None if place is None else row[place] for place in positions] for row in rows)


def _on_the_clock(moment: datetime, zone: str) -> datetime:
    """The moment in a zone, as a plain datetime: some drivers drop the zone, and some know no subclass."""
    local = moment.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date(), local.time(), local.tzinfo)
