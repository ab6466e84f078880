"""Connections to the ledger's PostgreSQL, and its SQL files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook

from wolkvox.errors import LedgerSlow, LedgerUnavailable, WolkvoxError

Connection = psycopg.Connection[tuple[Any, ...]]

# A machine that loses its power says no goodbye: after a minute PostgreSQL ends its session, and frees its locks.
DEAD_CLIENT = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"


@cache
def sql(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


def connect(ledger_conn_id: str) -> Connection:
    """
    Open a connection in autocommit mode.

    :raises LedgerUnavailable: when PostgreSQL can't be reached
    """
    try:
        connection = PostgresHook(postgres_conn_id=ledger_conn_id).get_conn()
    except psycopg.OperationalError as error:
        raise LedgerUnavailable(
            f"The ledger at connection {ledger_conn_id!r} can't be reached. {one_line(error)} Check that"
            " PostgreSQL runs and that host, database, login and password are right."
        ) from error
    if not isinstance(connection, psycopg.Connection):
        raise LedgerUnavailable("The ledger needs psycopg 3: install psycopg[binary].")
    connection.autocommit = True
    connection.execute(DEAD_CLIENT)
    return connection


def one_line(error: Exception) -> str:
    """What PostgreSQL said, as one sentence, without the detail and the context, which quote rows."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return f"{' '.join((primary or str(error)).split()).rstrip('.?')}."


def refusal(error: psycopg.Error) -> WolkvoxError:
    """The error to raise in place of PostgreSQL's own, whose text may quote a customer's row."""
    what = f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return LedgerUnavailable(f"The ledger went away. {one_line(error)} Nothing of the current step was kept.")
    if isinstance(error, psycopg.errors.QueryCanceled):
        return LedgerSlow(f"The ledger ended the current step ({what}). {one_line(error)}")
    if isinstance(error, psycopg.DataError):
        return WolkvoxError(
            f"The ledger refused a value ({what}); nothing of the current step was kept. Please report this: every"
            " value should have been checked before."
        )
    return WolkvoxError(f"The ledger refused the current step ({what}). {one_line(error)} Nothing of it was kept.")


@contextmanager
def connected(ledger_conn_id: str) -> Iterator[Connection]:
    """A connection for the length of a ``with`` block; errors as ``connect``, and those of ``refusal``."""
    connection = connect(ledger_conn_id)
    try:
        yield connection
    except psycopg.errors.UndefinedTable as error:
        raise LedgerUnavailable(
            f"The database of connection {ledger_conn_id!r} holds no ledger yet: run `python -m wolkvox migrate`."
        ) from error
    except psycopg.Error as error:
        raise refusal(error) from None
    finally:
        connection.close()
