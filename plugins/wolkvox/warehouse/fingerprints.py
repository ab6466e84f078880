"""How many contacts a window of the warehouse has, and the newest of them: what polls for work compare."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from wolkvox.errors import WolkvoxError
from wolkvox.rules.wake import Fingerprint
from wolkvox.rules.window import Window
from wolkvox.warehouse.sessions import bounds, engine_of, session_statement, without_values

# The end of a statement: what can't stand in brackets. Each comment can be read in one way only, or a line of dashes in
# the middle of a query would be tried in more ways than there is time for.
_END = re.compile(r"\s*(?:;(?:\s|;|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/)*)?\Z")
# By dialect, what lets the server end a statement that takes longer than five seconds.
_SHORT = {
    "postgresql": "SET LOCAL statement_timeout = '5s'",
    "mysql": "SET SESSION max_execution_time = 5000",
    "mariadb": "SET SESSION max_statement_time = 5",
}


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
            for setting in (_SHORT.get(_make(engine)), session_statement(engine.dialect.name, zone, window.end)):
                if setting:
                    database.exec_driver_sql(setting)
            rows, newest = database.execute(counting, bounds(window, zone)).one()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        reason = without_values(getattr(error, "orig", error))
        raise WolkvoxError(f"The warehouse did not count the window's rows: {reason}") from None
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
    """A time as it is; any other value that a query names ``contacted_at`` may be a customer's: its digest."""
    if isinstance(newest, datetime):
        return newest.isoformat()
    return hashlib.sha256(str(newest).encode()).hexdigest()[:12]
