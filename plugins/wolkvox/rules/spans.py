"""The hours and days whose figures the page shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOURS = 24
DAYS = 30


class Span(NamedTuple):
    """Half-open: ``starts_at`` is in, ``ends_at`` is out. Both carry a time zone."""

    starts_at: datetime
    ends_at: datetime


def last_hours(now: datetime, count: int = HOURS) -> list[Span]:
    """Return the hour of ``now`` and those before it, oldest first."""
    end = now.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return [Span(end - timedelta(hours=back), end - timedelta(hours=back - 1)) for back in range(count, 0, -1)]


def last_days(now: datetime, zone: str, count: int = DAYS) -> list[Span]:
    """Return the day of ``now`` in a time zone and those before it, oldest first; a day may have 23 or 25 hours."""
    today = now.astimezone(ZoneInfo(zone)).date()
    midnights = [
        datetime.combine(today - timedelta(days=back), datetime.min.time(), ZoneInfo(zone)).astimezone(timezone.utc)
        for back in range(count - 1, -2, -1)
    ]
    return [Span(*pair) for pair in pairwise(midnights)]


def hours_of(day: Span) -> list[Span]:
    """Return the hours of a day: 23 or 25 of them where the clock is changed."""
    count = (day.ends_at - day.starts_at) // timedelta(hours=1)
    starts = [day.starts_at + timedelta(hours=number) for number in range(count + 1)]
    return [Span(*pair) for pair in pairwise(starts)]


def shown_spans(now: datetime, zone: str) -> list[Span]:
    """Return all that the page shows: the last hours, then the last days."""
    return [*last_hours(now), *last_days(now, zone)]


def waiting_at_ends(
    spans: Sequence[Span], waiting_now: int, staged: Mapping[Span, int], finished: Mapping[Span, int]
) -> list[int]:
    """
    Return how many records waited when each of the adjoining spans ended; at the end of the last one: now.

    :param staged: records that came into the ledger, by span
    :param finished: records that reached a final state, by span
    """
    waiting, result = waiting_now, []
    for span in reversed(spans):
        result.append(waiting)
        waiting += finished.get(span, 0) - staged.get(span, 0)
    return result[::-1]
