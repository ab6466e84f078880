"""What a ledger loses when it is copied, restored or changed by hand: sequences, rules, the order of its texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from psycopg import sql as composed

from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import Connection, sql


class _Sequence(NamedTuple):
    """The sequence that numbers a column's new rows, by the names of the three, and the last number that it gave."""

    table: str
    column: str
    sequence: str
    last: int


def advance_sequences(connection: Connection) -> None:
    """Put every sequence behind the largest number that its column holds: the next row has one of its own."""
    for one in _sequences(connection):
        largest = _beyond(connection, one)
        if largest is not None:
            connection.execute("SELECT setval(format('wolkvox.%%I', %s::text)::regclass, %s)", (one.sequence, largest))


def validate(connection: Connection) -> None:
    """
    Hold the rows that are there to the rules that migrations added for new ones. Nobody waits meanwhile.

    :raises BadSetting: when somebody has changed rows so that they break one
    """
    for table, rule, condition in connection.execute(sql("unvalidated")).fetchall():
        try:
            connection.execute(
                composed.SQL("ALTER TABLE wolkvox.{} VALIDATE CONSTRAINT {}").format(
                    composed.Identifier(table), composed.Identifier(rule)
                )
            )
        except psycopg.errors.IntegrityError:
            # Not PostgreSQL's own message, which may quote a customer's row.
            raise BadSetting(
                f"The ledger is upgraded, but rows of wolkvox.{table} break its rule {rule}, {condition}: they were"
                " changed by hand. Correct them and run `python -m wolkvox migrate` again."
            ) from None


def refuse_damage(connection: Connection, ledger_conn_id: str) -> None:
    """
    Look for what a copy or a new operating system leaves behind.

    :raises BadSetting: a sequence is behind its column, a rule is not held to, or texts are in another order than the
        indexes have them
    """
    behind = [one.table for one in _sequences(connection) if _beyond(connection, one) is not None]
    if behind:
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} was copied without its sequences ({', '.join(behind)}): new"
            " rows would get numbers that are taken. Run `python -m wolkvox migrate`."
        )
    if rules := [rule for _, rule, _ in connection.execute(sql("unvalidated"))]:
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} doesn't hold its rows to {', '.join(rules)}: run"
            " `python -m wolkvox migrate`, which names the rows that break a rule."
        )
    row = connection.execute(sql("collation")).fetchone()
    if row is not None:
        database, recorded, actual = row
        raise BadSetting(
            f"Texts in the database of connection {ledger_conn_id!r} are ordered by version {actual or 'none'} of its"
            f" collation, its indexes were made with {recorded}: the operating system was upgraded. Rows may not be"
            f' found, or come in twice. Pause the DAGs, then REINDEX DATABASE "{database}" and ALTER DATABASE'
            f' "{database}" REFRESH COLLATION VERSION.'
        )


def _sequences(connection: Connection) -> Iterator[_Sequence]:
    return map(_Sequence._make, connection.execute(sql("sequences")).fetchall())


def _beyond(connection: Connection, one: _Sequence) -> int | None:
    """The largest number of a column, if its sequence has not given it yet; None: all is well."""
    row = connection.execute(
        composed.SQL("SELECT max({column}) FROM wolkvox.{table} HAVING max({column}) > %s").format(
            column=composed.Identifier(one.column), table=composed.Identifier(one.table)
        ),
        (one.last,),
    ).fetchone()
    return None if row is None else int(row[0])
