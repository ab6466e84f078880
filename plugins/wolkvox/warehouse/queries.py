"""Rows of the warehouse, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, Engine, text
from sqlalchemy.exc import DBAPIError

from wolkvox.errors import BadSetting, WolkvoxError
from wolkvox.rules.contacts import COLUMNS, OPTIONAL
from wolkvox.rules.timestamps import read_timestamp
from wolkvox.rules.window import Window, hours_after
from wolkvox.stop import Stop
from wolkvox.warehouse.sessions import bounds, engine_of, session_statement, without_values
from wolkvox.warehouse.waiting import ahead

WHOLE = (len(COLUMNS), len(COLUMNS) + len(OPTIONAL))  # columns that need no filling in
BATCH = 1_000  # rows fetched at once: more of them take longer each


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
    session = session_statement(engine.dialect.name, zone, window.end)
    query = _Query(engine, session, statement, bounds(window, zone))
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
    contacted_at = None if row is None else read_timestamp(row[COLUMNS.index("contacted_at")], ZoneInfo(zone))
    return contacted_at if contacted_at is not None and contacted_at >= window.start else None


@dataclass(slots=True)
class _Query:
    """A query at work; ``session`` is the statement that sets the session up before it."""

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


def _batches(result: CursorResult[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """The driver's own rows, some at a time: SQLAlchemy makes an object of each, which costs as much as pulling it."""
    first = result.fetchmany(1)  # of its own buffer: some drivers know the columns only then
    while rows := first or (result.cursor.fetchmany(BATCH) if result.cursor else ()):
        yield rows
        first = []


def _refusal(warehouse_conn_id: str, error: Any) -> WolkvoxError:
    """The warehouse's error, without the value that it may quote, which may be a customer's."""
    if any(kind.__name__ == "DataError" for kind in type(error).__mro__):
        return WolkvoxError(
            f"A value in the warehouse broke the query ({type(error).__name__}): run it by hand to see which,"
            " and mend the value or the query."
        )
    return WolkvoxError(f"The warehouse at connection {warehouse_conn_id!r} refused the query: {without_values(error)}")


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
    """A function that gives rows the order of the columns: nothing, a choice of their values, or one with gaps."""
    given = [place for place in positions if place is not None]
    if len(given) in WHOLE:
        return partial(map, itemgetter(*given))
    return lambda rows: ([None if place is None else row[place] for place in positions] for row in rows)
