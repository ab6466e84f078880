"""A campaign's export: what wolkvox has of each customer, and whether it can be relied on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from wolkvox.rules.export_dates import read_calls, read_last_dial, read_result

MOST_RECORDS = 60_000  # that one download gives [vendor's page on limits]; what is beyond is not documented
MOST_BYTES = 256 * 2**20  # of a result [same page]
_LONGEST = 200  # characters of an id or a code that can be one


class Exported(NamedTuple):
    """
    A customer of a campaign as wolkvox has it; texts as it writes them.

    ``dialled_at`` is when the customer was dialled last; None for never, or when that can't be read: ``unread_date``
    is its form then. ``result`` is what the last of so many ``calls`` came to, in capitals.
    """

    customer_id: str
    cod_act: str
    cod_act_2: str
    dialled_at: datetime | None = None
    unread_date: str = ""
    result: str = ""
    calls: int = 0


@dataclass(slots=True)
class Head:
    """What an export says of itself, beside its records."""

    code: str | None = None
    campaign_id: str | None = None
    total: str | None = None
    records: int = 0
    ended: bool = False


def read_exported(row: Mapping[str, Any], zone: tzinfo) -> Exported | None:
    """
    A record of an export; None for what names no customer.

    :param zone: of its moments
    """
    customer = _text(row.get("id_cliente"))
    if not customer or len(customer) > _LONGEST:
        return None
    cod_act, cod_act_2 = (_text(row.get(name))[:_LONGEST] for name in ("cod_rslt1", "cod_rslt2"))
    last = read_last_dial(row, zone)
    return Exported(customer, cod_act, cod_act_2, last.at, last.unread, read_result(row), read_calls(row) or 0)


def why_unfit(head: Head, campaign_id: str) -> str | None:
    """Why nothing may be concluded from an export; None: it is whole and of this campaign."""
    if not head.ended:
        return "it ends in the middle"
    if head.code is not None and head.code not in ("200", "0", ""):
        return f"its code is {head.code[:20]}"
    if head.campaign_id and head.campaign_id != campaign_id:
        return "it is of another campaign"
    if head.records == 0:
        return "it has no records"
    if head.records >= MOST_RECORDS:
        return f"it has {head.records} records, and may lack others"
    if head.total and head.total.isdigit() and int(head.total) != head.records:
        return f"it has {head.records} of {head.total} records"
    return None


def _text(value: object) -> str:
    return (
        str(value).replace("\x00", "").strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    )
