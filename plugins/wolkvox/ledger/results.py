"""Reads the contacts that changed since a table elsewhere was last written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from psycopg import IsolationLevel

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.runs import Run

COLUMNS = (
    "contact_key",
    "operation",
    "type_campaign",
    "campaign_id",
    "customer_id",
    "cod_act",
    "contacted_at",
    "state",
    "reason",
    "response_code",
    "response_msg",
    "attempts",
    "staged_at",
    "sent_at",
    "settled_at",
    "not_before",
    "dag_id",
    "dag_run_id",
)
BATCH = 500  # rows at once: one statement deletes as many, and some databases take no more values in it
OVERLAP = timedelta(minutes=1)  # before the last time, from which settled contacts are written again


@contextmanager
def changes(connection: Connection, run: Run, place: str) -> Iterator[Iterator[list[tuple[Any, ...]]]]:
    """
    Contacts that a table lacks or has an older version of, as values of ``COLUMNS``, ``BATCH`` at a time.

    If the block ends without an error, the ledger notes that the table has them.

    :param place: the table's name and connection
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        params = {**asdict(run), "place": place, "overlap": OVERLAP}
        row = connection.execute(sql("export_cursor"), params).fetchone()
        assert row is not None
        above, since, newest, now = row
        yield _changed(connection, {**params, "above": above, "since": since})
    connection.execute(sql("move_export_cursor"), {**params, "above": newest, "since": now})


def _changed(connection: Connection, params: dict[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    with connection.cursor("results") as cursor:
        cursor.execute(sql("results"), params)
        while rows := cursor.fetchmany(BATCH):
            yield rows
