"""When a customer was dialled last, as an export writes it, or that it can't be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from wolkvox.rules.timestamps import read_timestamp

MARGIN = timedelta(minutes=1)  # between the vendor's clock and ours
AHEAD = timedelta(minutes=15)  # of our clock; a date that is further ahead was read in a wrong zone
FEWEST_OURS = 3  # codified customers whose dates are those of our requests, before that can't be chance
CLEAN = "CLEAN"  # the result of a record that was not dialled, or that was recalled [vendor's page on its reports]

# Only forms in which nobody can take the month for the day. The vendor's own requests write the second one.
_DATE = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?:T| +)"
    r"(?P<hour>\d{1,2}):(?P<rest>\d\d[\d:.,z+-]*)(?: *(?P<half>[ap]) ?\.? ?m\.?)?",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d) ?(\d\d):?(\d\d):?(\d\d)", re.ASCII)
_NOON = 12
_MOST_CALLS = 1_000_000
_LONGEST_FORM = 30  # characters of a date that can't be read which are shown


class LastDial(NamedTuple):
    """
    When a customer was dialled last; None for never, or when that can't be read.

    ``unread`` is empty, or the form of the date that can't be read, every digit a 9 and every letter an a.
    """

    at: datetime | None
    unread: str = ""


@dataclass(slots=True)
class DateCount:
    """
    The dates of an operation's exports, counted.

    ``dialled`` records, of which ``unread`` have a date that can't be read, or one ahead of our clock; of codified
    customers ``dated`` have a date after their contact, and of ``ours`` it is that of our own request.
    """

    dialled: int = 0
    unread: int = 0
    dated: int = 0
    ours: int = 0
    form: str = ""

    def add(self, other: DateCount) -> None:
        """Add those of another export."""
        self.dialled += other.dialled
        self.unread += other.unread
        self.dated += other.dated
        self.ours += other.ours
        self.form = self.form or other.form

    @property
    def are_ours(self) -> bool:
        """Whether most dates are those of our own requests, so that they say nothing of dials."""
        return self.ours >= FEWEST_OURS and 2 * self.ours > self.dated


def read_last_dial(row: Mapping[str, Any], zone: tzinfo) -> LastDial:
    """
    Return a record's last dial.

    :param row: a record of an export
    :param zone: of its dates
    """
    calls, result, date = read_calls(row), read_result(row), read_text(row.get("fecha"))
    if (not calls and result == CLEAN) or (calls == 0 and not (result and date)) or not (calls or result or date):
        return LastDial(None)  # a code alone may be a result, too
    if calls is None and not result:
        return LastDial(None, "without calls and result")
    at = _read(date, zone)
    return LastDial(None, _form(date)) if at is None else LastDial(at)


def read_calls(row: Mapping[str, Any]) -> int | None:
    """Return how often a record was dialled; None when it doesn't say so."""
    value = row.get("llamadas")
    text = str(value) if isinstance(value, (float, Decimal)) else read_text(value)
    try:
        return max(0, min(int(float(text)), _MOST_CALLS))
    except (ValueError, OverflowError):
        return None


def read_result(row: Mapping[str, Any]) -> str:
    """Return the result of a record's last dial, in capitals; CLEAN when it was not dialled, empty for none."""
    result = read_text(row.get("resultado")).upper()[:_LONGEST_FORM]
    return result if result.isprintable() else ""


def read_text(value: object) -> str:
    """Return a field of a record as text; empty for an object or a truth value."""
    return (
        str(value).replace("\x00", "").strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    )


def _read(date: str, zone: tzinfo) -> datetime | None:
    """Return the timestamp in UTC; None for a day alone, whose dials may have come before a contact or after."""
    if digits := _DIGITS.fullmatch(date):
        return read_timestamp("{}-{}-{}T{}:{}:{}".format(*digits.groups()), zone)
    parts = _DATE.fullmatch(date)
    if parts is None:
        return None
    hour = _hour(int(parts["hour"]), (parts["half"] or "").lower())
    if hour is None:
        return None
    return read_timestamp(f"{parts['year']}-{parts['month']}-{parts['day']}T{hour:02}:{parts['rest']}", zone)


def _hour(hour: int, half: str) -> int | None:
    """Return the hour of 24; None when morning or afternoon contradicts it."""
    if not half:
        return hour
    if half == "a":
        return None if hour > _NOON else hour % _NOON
    return None if hour == 0 else hour if hour > _NOON else hour % _NOON + _NOON


def _form(date: str) -> str:
    """Return how a date is written, without the date."""
    form = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", date[:_LONGEST_FORM]))
    return form if form.isprintable() and form else "nothing"
