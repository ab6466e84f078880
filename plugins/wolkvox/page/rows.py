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
)

_NUMBER = re.compile(r"\d{5,}")  # long enough to be a customer or a telephone
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def mask(customer_id: str | None) -> str | None:
    """The end of an id that is long enough to stay unknown."""
    if customer_id is None:
        return None
    return MASK + (customer_id[-SHOWN:] if len(customer_id) > 2 * SHOWN else "")


def describe(record: Record, *, unmasked: bool) -> dict[str, Any]:
    """A record as JSON, with the path of its task."""
    return {
        "type_campaign": record.type_campaign,
        "campaign_id": record.campaign_id,
        "customer_id": record.customer_id if unmasked else mask(record.customer_id),
        "cod_act": record.cod_act,
        "state": record.state,
        "reason": record.reason,
        "response_code": record.response_code,
        "response_msg": record.response_msg if unmasked else _without_ids(record),
        "attempts": record.attempts,
        "contacted_at": record.contacted_at and record.contacted_at.isoformat(),
        "settled_at": record.settled_at and record.settled_at.isoformat(),
        "not_before": record.not_before and record.not_before.isoformat(),
        "dag_id": record.dag_id,
        "dag_run_id": record.dag_run_id,
        "chunk_number": record.chunk_number if record.in_chunk else None,
        "task_path": record_path(record.dag_id, record.dag_run_id, record.chunk_number if record.in_chunk else None),
    }


def as_csv(records: Iterable[Record], *, unmasked: bool) -> Iterator[str]:
    """Lines of a CSV file that a spreadsheet opens as text."""
    yield "\ufeff" + _line(COLUMNS)
    for record in records:
        described = describe(record, unmasked=unmasked)
        yield _line([_harmless(described[column]) for column in COLUMNS])


def _without_ids(record: Record) -> str | None:
    if record.response_msg is None:
        return None
    text = record.response_msg
    if record.customer_id:
        text = text.replace(record.customer_id, MASK)
    return _NUMBER.sub(MASK, text)


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula, quoted."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value


def _line(values: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
