"""Rows as a warehouse gives them, for tests that need many alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from wolkvox.rules.contacts import COLUMNS, Contact, read_contact

BOGOTA = ZoneInfo("America/Bogota")
NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)

INSERT = "INSERT INTO contacted_customers VALUES (%s, %s, %s, %s, %s, %s, %s)"  # such a row into a warehouse


def row(**changes: object) -> Sequence[object]:
    """A sendable row of the warehouse, but for the changes."""
    values: dict[str, object] = {
        "type_campaign": "preview",
        "campaign_id": "17",
        "customer_id": "1001",
        "cod_act": "5",
        "cod_act_2": None,
        "comment": "by chat",
        "contacted_at": NOON,
        **changes,
    }
    return [values[name] for name in COLUMNS]


def read(**changes: object) -> Contact:
    """The contact such a row makes, for operation 0041 and Bogota's clock."""
    return read_contact(row(**changes), operation="0041", zone=BOGOTA)


# How a spreadsheet is kept from reading a number, and what is left of that.
QUOTED = [
    '="{}"',
    '"{}"',
    "'{}'",
    "'{}",
    '"=""{}"""',
    "={}",
    "\u201c{}\u201d",
    "\xab{}\xbb",
    ' "\u200b{} " ',
    '"\'{}"',
    "`{}",
]
