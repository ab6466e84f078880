"""Records as the page and its CSV show them: ids masked, nothing that a spreadsheet would run. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from wolkvox.page.links import record_path
from wolkvox.page.queries import Record

MASK = "•••"
PART = 100_000  # characters given out at once
SHOWN = 3  # characters of an id that anybody may see

COLUMNS = (
    "type_campaign",
    "campaign_id",
    "customer_id",
    "cod_act",
    "state",
    "reason",
    "response_code",
    "response_msg",
    "attempts",
    "contacted_at",
    "settled_at",
    "not_before",
    "dag_id",
    "dag_run_id",
    "chunk_number",
    "channel",
    "direct",
)
DIALLED_COLUMNS = ("dialled_at", "breach")  # of a list of dials
CODES = ("campaign_id", "customer_id", "cod_act", "response_code")  # which Excel would take for numbers and dates
SEPARATORS = {"en": ",", "es": ";"}  # of a list where these languages are spoken: Excel's double click

_NUMBER = re.compile(r"\d{5,}")  # long enough to be a customer or a telephone
_CODE = re.compile(r"[\w.\-/]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def mask(customer_id: str | None) -> str | None:
    """The end of an id that is long enough to stay unknown."""
    if customer_id is None:
        return None
    return MASK + (customer_id[-SHOWN:] if len(customer_id) > 2 * SHOWN else "")


def describe(record: Record, *, unmasked: bool) -> dict[str, Any]:
    """A record as JSON, with the path of its task."""
    return {
        "id": record.id,
        "type_campaign": record.type_campaign,
        "campaign_id": record.campaign_id,
        "customer_id": record.customer_id if unmasked else mask(record.customer_id),
        "cod_act": record.cod_act,
        "state": record.state,
        "reason": record.reason,
        "response_code": record.response_code,
        "response_msg": record.response_msg if unmasked else without_ids(record.response_msg, record.customer_id),
        "attempts": record.attempts,
        "contacted_at": record.contacted_at and record.contacted_at.isoformat(),
        "settled_at": record.settled_at and record.settled_at.isoformat(),
        "not_before": record.not_before and record.not_before.isoformat(),
        "dag_id": record.dag_id,
        "dag_run_id": record.dag_run_id,
        "chunk_number": record.chunk_number if record.in_chunk else None,
        "channel": record.channel,
        "direct": record.direct,
        "dialled_at": record.dialled_at and record.dialled_at.isoformat(),
        "breach": record.breach,
        "task_path": record_path(record.dag_id, record.dag_run_id, record.chunk_number if record.in_chunk else None),
    }


def as_csv(
    records: Iterable[Record], *, unmasked: bool, excel: str | None = None, dialled: bool = False
) -> Iterator[str]:
    """
    A CSV file, part by part, whose cells a spreadsheet takes for text, not for formulas.

    :param excel: the language of the Excel that is to open it by a double click: its separator, and ids and codes kept
        as text; None for programs
    :param dialled: whether it is a list of dials, with when and why
    """
    columns = (*COLUMNS, *DIALLED_COLUMNS) if dialled else COLUMNS
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=SEPARATORS[excel or "en"])
    buffer.write("\ufeff")
    writer.writerow(columns)
    for record in records:
        described = describe(record, unmasked=unmasked)
        writer.writerow([_cell(column, described[column], excel) for column in columns])
        if buffer.tell() > PART:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(column: str, value: object, excel: str | None) -> object:
    """What a spreadsheet shows as it stands; Excel keeps ids and codes as text: ``002``, ``5731E45``."""
    if excel and column in CODES and isinstance(value, str) and _CODE.fullmatch(value):
        return f'="{value}"'
    return harmless(value)


def without_ids(message: str | None, customer_id: str | None) -> str | None:
    """The vendor's message without the customer and without numbers long enough to be somebody's."""
    if message is None:
        return None
    return _NUMBER.sub(MASK, message.replace(customer_id, MASK) if customer_id else message)


def harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula, quoted."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
