"""Rows of the warehouse, as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook
from sqlalchemy import text

from wolkvox.contacts import COLUMNS
from wolkvox.errors import BadSetting
from wolkvox.window import Window

BATCH = 5_000  # rows fetched at once: what a stream keeps in memory


def contacted_customers(warehouse_conn_id: str, statement: str, window: Window, zone: str) -> Iterator[Sequence[Any]]:
    """
    Run the warehouse query and yield its rows, batch by batch, as values of ``contacts.COLUMNS``.

    :param statement: SQL with the bound parameters ``:window_start`` and ``:window_end``
    :param zone: on PostgreSQL, the zone in which a ``timestamp`` column without one is compared to the window
    :raises BadSetting: when the connection is no SQL database, or the query lacks a column
    """
    connection = BaseHook.get_connection(warehouse_conn_id)
    hook = connection.get_hook()  # type: ignore[no-untyped-call]
    if not isinstance(hook, DbApiHook):
        raise BadSetting(
            f"Connection {warehouse_conn_id!r} is of type {connection.conn_type!r}, which is no SQL database:"
            " the warehouse needs one whose Airflow hook runs SQL."
        )
    engine = hook.get_sqlalchemy_engine()
    try:
        with engine.connect().execution_options(stream_results=True, max_row_buffer=BATCH) as database:
            if engine.dialect.name == "postgresql":
                database.execute(text("SELECT set_config('TimeZone', :zone, true)"), {"zone": zone})
            result = database.execute(text(statement), {"window_start": window.start, "window_end": window.end})
            missing = [name for name in COLUMNS if name not in result.keys()]  # noqa: SIM118 - not a mapping
            if missing:
                raise BadSetting(
                    f"The warehouse query gives no column {', '.join(missing)}; it must select {', '.join(COLUMNS)}."
                )
            for rows in result.columns(*COLUMNS).partitions(BATCH):
                yield from rows
    finally:
        engine.dispose()
