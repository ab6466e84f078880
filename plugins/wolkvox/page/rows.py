"""Records as the page and its files show them: ids masked, nothing that a spreadsheet would run. Pure."""

from __future__ import annotations

import re
from typing import Any

from wolkvox.page.links import record_path
from wolkvox.page.queries import Record
from wolkvox.rules.masking import MASK, mask

_NUMBER = re.compile(r"\d{5,}")  # long enough to be a customer or a telephone
_FORMULA = re.compile(r" *[=+\-@\t\r\n]")


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


def without_ids(message: str | None, customer_id: str | None) -> str | None:
    """The vendor's message without the customer and without numbers long enough to be somebody's."""
    if message is None:
        return None
    return _NUMBER.sub(MASK, message.replace(customer_id, MASK) if customer_id else message)


def harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula, quoted."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
