"""Timestamps as warehouses, drivers and exports write them. Pure: no clock."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timezone, tzinfo
from zoneinfo import ZoneInfo

from wolkvox.rules.values import BLANK, is_nan, plain

# A contact outside these years has a broken date: it would win over every true contact, or lose to all.
FIRST_YEAR, LAST_YEAR = 2000, 2100

_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)?\s*"
    r"(?:([Zz]|UTC|GMT)|([+-]\d\d):?(\d\d)?|([A-Z][A-Za-z_]+/[A-Za-z_/+-]+))?)?",
    re.ASCII,
)


def read_timestamp(value: object, zone: tzinfo) -> datetime | None:
    """
    Return a timestamp in UTC, of a date, a datetime or a text in ISO 8601 or as databases write it; None for others.

    :param zone: in which a timestamp without a zone is read
    """
    return parse_timestamp(value, zone)[0]


def parse_timestamp(value: object, zone: tzinfo) -> tuple[datetime | None, str | None]:
    """Return the timestamp as ``read_timestamp`` does, and why there is none: missing, unreadable, out_of_range."""
    if type(value) is not datetime:
        value = plain(value)
    if value is None or is_nan(value):
        return None, "missing"
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode(errors="replace")
    if isinstance(value, str):
        value = _read_text(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None, "unreadable"
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None, "out_of_range"
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return value.astimezone(timezone.utc), None


def _read_text(text: str) -> datetime | None:
    """Return the timestamp that a text says, the same with every release of Python; None when it says none."""
    match = _TIMESTAMP.fullmatch(text.strip(BLANK))
    if match is None:
        return None
    day, hour, minute, seconds, fraction, utc, hours, rest, zone = match.groups()
    offset = "+00:00" if utc else f"{hours}:{rest or '00'}" if hours else ""
    of_day = f"{hour or '00'}:{minute or '00'}{seconds or ':00'}.{(fraction or '')[:6]:0<6}{offset}"
    try:
        read = datetime.fromisoformat(f"{day}T{of_day}")
        return read.replace(tzinfo=ZoneInfo(zone)) if zone else read
    except (ValueError, KeyError, OSError):  # a zone that isn't found is a KeyError, a folder of zones an OSError
        return None
