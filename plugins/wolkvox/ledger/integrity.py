"""Checks what a copy, a restore or a change by hand may damage: sequences, constraints, the order of texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from psycopg import sql as composed

from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import Connection, sql


class _Sequence(NamedTuple):
    """A table, its numbered column, the column's sequence, and the last number of the sequence."""

    table: str
    column: str
    sequence: str
    last: int


def advance_sequences(connection: Connection) -> None:
    """Set every sequence to the largest number in its column: the next row gets a free one."""
    for each in _sequences(connection):
        largest = _largest_unnumbered(connection, each)
        if largest is not None:
            connection.execute("SELECT setval(format('wolkvox.%%I', %s::text)::regclass, %s)", (each.sequence, largest))


def validate(connection: Connection) -> None:
    """
    Validate the constraints that a migration added for new rows only. It blocks no reader or writer.

    :raises BadSetting: when rows, changed by hand, break a constraint
    """
    for table, constraint, condition in connection.execute(sql("unvalidated")).fetchall():
        try:
            connection.execute(
                composed.SQL("ALTER TABLE wolkvox.{} VALIDATE CONSTRAINT {}").format(
                    composed.Identifier(table), composed.Identifier(constraint)
                )
            )
        except psycopg.errors.IntegrityError:
            # PostgreSQL's own message may quote a customer's row.
            raise BadSetting(
                f"The ledger is upgraded, but rows of wolkvox.{table} break its constraint {constraint}, {condition}:"
                " they were changed by hand. Correct them and run `python -m wolkvox migrate` again."
            ) from None


def refuse_damage(connection: Connection, ledger_conn_id: str) -> None:
    """
    Check for damage by a copy or a new operating system.

    :raises BadSetting: a sequence is behind its column, a constraint is not validated, or the indexes have another
        order of texts
    """
    behind = [each.table for each in _sequences(connection) if _largest_unnumbered(connection, each) is not None]
    if behind:
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} was copied without its sequences ({', '.join(behind)}): new"
            " rows would get numbers that are taken. Run `python -m wolkvox migrate`."
        )
    if constraints := [name for _, name, _ in connection.execute(sql("unvalidated"))]:
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} has not validated {', '.join(constraints)}: run"
            " `python -m wolkvox migrate`, which names the table whose rows break one."
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


def _largest_unnumbered(connection: Connection, numbered: _Sequence) -> int | None:
    """The largest number of a column if it is above its sequence; None: it is not."""
    row = connection.execute(
        composed.SQL("SELECT max({column}) FROM wolkvox.{table} HAVING max({column}) > %s").format(
            column=composed.Identifier(numbered.column), table=composed.Identifier(numbered.table)
        ),
        (numbered.last,),
    ).fetchone()
    return None if row is None else int(row[0])
