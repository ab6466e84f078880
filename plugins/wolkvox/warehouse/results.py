"""A table in the warehouse with the outcome of each contact, for others to join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Column, DateTime, Engine, Index, Integer, MetaData, String, Table, Text, delete, insert, inspect
from sqlalchemy.exc import DBAPIError

from wolkvox.errors import WolkvoxError
from wolkvox.ledger.results import COLUMNS
from wolkvox.warehouse.sessions import engine_of, without_values

KEY = "contact_key"
_INDEXED = ("postgresql", "mysql", "mariadb", "sqlite", "oracle", "mssql", "duckdb")  # others have no use for one
_TYPES: Mapping[str, Any] = {
    KEY: String(36),
    "response_msg": Text,
    "attempts": Integer,
    **dict.fromkeys(("contacted_at", "staged_at", "sent_at", "settled_at", "not_before"), DateTime(timezone=True)),
}


def write_results(warehouse_conn_id: str, name: str, batches: Iterable[Sequence[Sequence[Any]]]) -> int:
    """
    Write contacts into a table, each in place of its row of before; returns how many.

    The table is made when it isn't there. Each batch is one transaction, and may be written twice.

    :param name: the table's, with its schema if need be
    :param batches: values of ``ledger.results.COLUMNS``
    :raises BadSetting: when the connection is no SQL database
    :raises WolkvoxError: when the warehouse refuses, in its own message without anybody's values
    """
    engine = engine_of(warehouse_conn_id)
    table = _table(name, engine.dialect.name)
    written = 0
    try:
        if not inspect(engine).has_table(table.name, table.schema):
            table.create(engine)
        for rows in batches:
            _write(engine, table, rows)
            written += len(rows)
    except DBAPIError as error:
        raise WolkvoxError(
            f"The warehouse at connection {warehouse_conn_id!r} refused to take results into {name}:"
            f" {without_values(error.orig)}"
        ) from None
    finally:
        engine.dispose()
    return written


def _table(name: str, dialect: str) -> Table:
    schema, _, bare = name.rpartition(".")
    columns = [Column(column, _TYPES.get(column, String(250))) for column in COLUMNS]
    table = Table(bare, MetaData(), *columns, schema=schema or None)
    if dialect in _INDEXED:
        Index(f"{bare}_{KEY}", table.c[KEY])
    return table


def _write(engine: Engine, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    values = [dict(zip(COLUMNS, map(_in_utc, row), strict=True)) for row in rows]
    with engine.begin() as database:
        database.execute(delete(table).where(table.c[KEY].in_([row[KEY] for row in values])))
        database.execute(insert(table), values)


def _in_utc(value: Any) -> Any:
    """A time in UTC, on whose clock a column without a zone is to be read."""
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value
