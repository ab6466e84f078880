"""
Records as a table to be kept: for programs, or for a person in their language and on the operation's clock. Pure.

Ids are masked unless whole ones were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from wolkvox.page.dictionary import Dictionary
from wolkvox.page.queries import Record
from wolkvox.page.rows import without_ids
from wolkvox.rules.masking import mask

Kind: TypeAlias = Literal["text", "number", "time"]
Cell: TypeAlias = str | int | bool | datetime | None


class Column(NamedTuple):
    """A column: its name for programs, the key of its head for people, and what its cells hold."""

    name: str
    head: str
    kind: Kind = "text"


COLUMNS = (
    Column("type_campaign", "filter.type"),
    Column("campaign_id", "filter.campaign"),
    Column("customer_id", "column.customer"),
    Column("cod_act", "column.code"),
    Column("state", "column.state"),
    Column("reason", "column.reason"),
    Column("response_code", "column.response_code"),
    Column("response_msg", "column.message"),
    Column("attempts", "column.requests", "number"),
    Column("contacted_at", "column.contacted", "time"),
    Column("settled_at", "column.settled", "time"),
    Column("not_before", "column.next_attempt", "time"),
    Column("dag_id", "column.dag"),
    Column("dag_run_id", "column.run"),
    Column("chunk_number", "column.chunk", "number"),
    Column("channel", "column.channel"),
    Column("direct", "column.direct"),
)
DIALLED_COLUMNS = (Column("dialled_at", "column.dialled_at", "time"), Column("breach", "column.cause"))


@dataclass(frozen=True, slots=True)
class Table:
    """
    The heads, and the rows from the first to the last, which can be read once.

    ``language``: of the person it is for; None: it is for programs.
    """

    heads: Sequence[str]
    kinds: Sequence[Kind]
    rows: Iterable[Sequence[Cell]]
    language: str | None = None


def for_programs(records: Iterable[Record], *, unmasked: bool, dialled: bool = False) -> Table:
    """
    The records under the ledger's own names, times in ISO 8601 with their offset.

    :param dialled: whether it is a list of dials, with when and why
    """
    columns = _columns(dialled)
    rows = ([_iso(cell) for cell in _cells(record, unmasked, dialled)] for record in records)
    return Table([column.name for column in columns], ["text"] * len(columns), rows)


def for_people(
    records: Iterable[Record], dictionary: Dictionary, zone: str, *, unmasked: bool, dialled: bool = False
) -> Table:
    """The records with heads, states and reasons in a language, times on the zone's clock, which the heads name."""
    columns = _columns(dialled)
    heads = [_head(column, dictionary, zone) for column in columns]
    writers = [_writer(column, dictionary, ZoneInfo(zone)) for column in columns]
    rows = _written((_cells(record, unmasked, dialled) for record in records), writers)
    return Table(heads, [column.kind for column in columns], rows, dictionary.language)


def _columns(dialled: bool) -> tuple[Column, ...]:
    return (*COLUMNS, *DIALLED_COLUMNS) if dialled else COLUMNS


def _cells(record: Record, unmasked: bool, dialled: bool) -> tuple[Cell, ...]:
    """What the columns hold of a record."""
    cells = (
        record.type_campaign,
        record.campaign_id,
        record.customer_id if unmasked else mask(record.customer_id),
        record.cod_act,
        record.state,
        record.reason,
        record.response_code,
        record.response_msg if unmasked else without_ids(record.response_msg, record.customer_id),
        record.attempts,
        record.contacted_at,
        record.settled_at,
        record.not_before,
        record.dag_id,
        record.dag_run_id,
        record.chunk_number if record.in_chunk else None,
        record.channel,
        record.direct,
    )
    return (*cells, record.dialled_at, record.breach) if dialled else cells


def _iso(cell: Cell) -> Cell:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _head(column: Column, dictionary: Dictionary, zone: str) -> str:
    head = dictionary(column.head)
    return f"{head} ({zone})" if column.kind == "time" else head


def _written(
    rows: Iterable[Sequence[Cell]], writers: Sequence[Callable[[Cell], Cell] | None]
) -> Iterator[Sequence[Cell]]:
    """The rows with each cell as a person reads it."""
    places = [(place, writer) for place, writer in enumerate(writers) if writer is not None]
    for row in rows:
        written = list(row)
        for place, writer in places:
            if (cell := written[place]) is not None:
                written[place] = writer(cell)
        yield written


def _writer(column: Column, dictionary: Dictionary, zone: ZoneInfo) -> Callable[[Cell], Cell] | None:
    """What makes a column's cells readable; None where they are so as they stand."""
    if column.kind == "time":
        return lambda timestamp: _local_time(timestamp, zone)
    writers: dict[str, Callable[[Cell], str]] = {
        "state": lambda state: dictionary(f"state.{state}"),
        "reason": lambda reason: _reason(str(reason), dictionary),
        "direct": lambda direct: dictionary("direct.yes" if direct else "direct.no"),
        "breach": lambda breach: dictionary(f"breach.{breach}"),
    }
    writer = writers.get(column.name)
    return writer and cache(writer)


def _local_time(timestamp: Cell, zone: ZoneInfo) -> datetime:
    """The time that the zone's clocks show, to the second."""
    assert isinstance(timestamp, datetime)
    return timestamp.astimezone(zone).replace(microsecond=0, tzinfo=None)


def _reason(reason: str, dictionary: Dictionary) -> str:
    """The sentence, and the reason that it is of."""
    sentence = dictionary.reason(reason)
    return sentence if sentence == reason else f"{sentence} ({reason})"
