"""The span of time a run pulls contacts for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wolkvox.errors import BadSetting

LONGEST_WINDOW = timedelta(days=31)  # the vendor's longest date range [vendor's page on the codify call]


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open: ``start`` is in, ``end`` is out. Both carry a time zone."""

    start: datetime
    end: datetime


def choose_window(
    *,
    asked_start: datetime | None,
    asked_end: datetime | None,
    interval_start: datetime,
    interval_end: datetime,
    lookback: timedelta,
) -> Window:
    """
    The window that was asked for, or the run's data interval widened backwards by ``lookback``.

    A start that is given alone ends at the interval's end, an end alone starts ``lookback`` before the interval
    or before itself, whichever is earlier.

    :raises BadSetting: when it is empty, reversed, or longer than 31 days
    """
    end = asked_end or interval_end
    start = asked_start or min(interval_start, end) - lookback
    if start >= end:
        raise BadSetting(
            f"The window is empty: window_start {start.isoformat()} is not before window_end {end.isoformat()}."
            " Give a start that lies before the end."
        )
    if end - start > LONGEST_WINDOW:
        raise BadSetting(
            f"The window from {start.isoformat()} to {end.isoformat()} is longer than the {LONGEST_WINDOW.days} days"
            " allowed. Run it in several shorter windows."
        )
    return Window(start, end)
