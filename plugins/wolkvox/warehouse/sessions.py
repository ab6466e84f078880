"""How a session of a warehouse is opened, set to a zone's clock and bounded, by its dialect."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException
from sqlalchemy import Engine

from wolkvox.errors import BadSetting
from wolkvox.rules.window import Window

_VALUE = re.compile(r"'[^']*'|\d{5,}")
# By dialect, what lets a session read and compare times on the clock of a zone, whatever the server's and the
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


def engine_of(warehouse_conn_id: str) -> Engine:
    """
    SQLAlchemy's engine for a warehouse.

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


def session_statement(dialect: str, zone: str, now: datetime) -> str | None:
    """The statement that puts a session on the zone's clock; None where none is needed or known."""
    offset = f"{now.astimezone(ZoneInfo(zone)):%z}"
    statement = _SESSIONS.get(dialect)
    return statement and statement.format(zone=ZoneInfo(zone).key, offset=f"{offset[:3]}:{offset[3:5]}")


def bounds(window: Window, zone: str) -> dict[str, datetime]:
    """The bound parameters of a window, on a zone's clock."""
    return {"window_start": _on_the_clock(window.start, zone), "window_end": _on_the_clock(window.end, zone)}


def without_values(error: Any) -> str:
    """A driver's error in one line, without what may be somebody's: quoted texts and long numbers."""
    message = " ".join(str(part) for part in getattr(error, "args", ())) or str(error)
    line = (message.strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {_VALUE.sub('…', line)}"


def _on_the_clock(time: datetime, zone: str) -> datetime:
    """The time in a zone, as a plain datetime: some drivers drop the zone, and some know no subclass."""
    local = time.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date(), local.time(), local.tzinfo)
