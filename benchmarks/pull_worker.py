"""
A worker: pulls rows from a warehouse and looks at each, by ``contacted_customers`` or by its driver's own cursor.

Arguments: ``ours`` or ``driver``, SQLAlchemy's address of the database, and how many rows.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import Connection
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from benchmarks.workers import serve
from wolkvox.rules.contacts import COLUMNS
from wolkvox.rules.window import Window
from wolkvox.warehouse.queries import BATCH, contacted_customers

WHOSE, ADDRESS, ROWS = sys.argv[1], make_url(sys.argv[2]), int(sys.argv[3])
WINDOW = Window(datetime(2026, 3, 1, tzinfo=timezone.utc), datetime(2026, 3, 4, tzinfo=timezone.utc))
QUERY = f"SELECT {', '.join(COLUMNS)} FROM contacted_customers WHERE customer_id <= {57_300_000_000 + ROWS}"
BETWEEN = f"{QUERY} AND contacted_at >= :window_start AND contacted_at < :window_end"
BOUNDS = "AND contacted_at >= '2026-03-01 00:00:00' AND contacted_at < '2026-03-04 00:00:00'"


class Hook(DbApiHook):
    """As Airflow's hook of that database, whose provider isn't installed here."""

    conn_name_attr = "warehouse"

    def get_sqlalchemy_engine(self, engine_kwargs: dict[str, Any] | None = None) -> Engine:
        """The engine."""
        return create_engine(ADDRESS)


def ours() -> Iterator[Sequence[Any]]:
    """As the task ``stage`` pulls them."""
    os.environ["AIRFLOW_CONN_WAREHOUSE"] = "other://"
    Connection.get_hook = lambda *_, **__: Hook()  # type: ignore[method-assign]
    return contacted_customers("warehouse", BETWEEN, WINDOW, "UTC")


def driver() -> Iterator[Sequence[Any]]:
    """As a loop over the driver's streaming cursor does."""
    cursor = _cursor()
    cursor.execute(f"{QUERY} {BOUNDS}")
    while rows := cursor.fetchmany(BATCH):
        yield from rows


def _cursor() -> Any:
    connection: Any = create_engine(ADDRESS).raw_connection().driver_connection
    kind = ADDRESS.get_backend_name()
    if kind == "postgresql":
        return connection.cursor("rows")
    if kind == "mysql":
        from pymysql.cursors import SSCursor

        return connection.cursor(SSCursor)
    return connection.cursor()


def work() -> dict[str, Any]:
    """How many rows, in how many seconds, with how much memory at the peak."""
    began = time.perf_counter()
    rows = sum(1 for row in {"ours": ours, "driver": driver}[WHOSE]() if row[2])
    seconds = time.perf_counter() - began
    return {"rows": rows, "seconds": seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    serve(work)
