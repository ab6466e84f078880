"""The span of time a run pulls contacts for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from wolkvox.errors import BadSetting

LONGEST_WINDOW = timedelta(days=31)  # the vendor's longest date range [vendor's page on the codify API]
AHEAD = timedelta(minutes=15), timedelta(hours=14)  # of now: less is a clock that is wrong, more is no zone's mistake
LEAST_REACH = timedelta(minutes=15)  # of a default window whose run has an empty interval: the usual cron's


@dataclass(frozen=True, slots=True)
class Window:
    """
    Half-open: ``start`` is in, ``end`` is out. Both carry a time zone.

    ``cut``: it would begin earlier, but for the 31 days that a window may have.
    """

    start: datetime
    end: datetime
    cut: bool = False


def hours_after(now: datetime) -> Window:
    """Return the window that shows contacts of today which are read in a zone too far west of their own."""
    return Window(now + AHEAD[0], now + AHEAD[1])


def interval_of(
    begun_by: str, start: datetime | None, end: datetime | None, run_after: datetime, now: datetime | None
) -> Window:
    """
    Return the data interval of a run; an empty one where Airflow gives none.

    A run that an event began ends now: Airflow's ``run_after`` is when the first event came, and what later ones were
    about would be outside. One that a person began ends no earlier than its trigger.

    :param begun_by: one of ``options.BEGAN_BY``
    :param now: when ``stage`` runs; needed for an event's run
    """
    if begun_by == "event" and now is not None:
        return Window(now, now)
    end = end or run_after
    return Window(start or run_after, max(end, run_after) if begun_by == "person" else end)


def choose_window(
    *,
    asked_start: datetime | None,
    asked_end: datetime | None,
    interval_start: datetime,
    interval_end: datetime,
    lookback: timedelta,
) -> Window:
    """
    Return the window that was asked for, or the run's data interval widened backwards by ``lookback``.

    A start that is given alone ends at the interval's end, an end alone starts ``lookback`` before the interval
    or before itself, whichever is earlier. Where neither is given, a window of more than 31 days is cut to its last 31:
    what a schedule and its look-back come to on some days is nobody's mistake. And one of a run without an interval, as
    an event begins it, has ``LEAST_REACH`` at least: with little or no look-back, nothing would be in it.

    :raises BadSetting: when it is empty, reversed, or longer than 31 days although it was asked for
    """
    end = asked_end or interval_end
    start = asked_start or min(interval_start, end) - lookback
    if asked_start is asked_end is None and interval_start >= interval_end:
        start = min(start, end - LEAST_REACH)
    if start >= end:
        raise BadSetting(
            f"The window is empty: window_start {start.isoformat()} is not before window_end {end.isoformat()}."
            " Give a start that lies before the end."
        )
    if end - start > LONGEST_WINDOW and asked_start is asked_end is None:
        # On UTC's clock: on a zone's own, 31 days may be an hour longer.
        return Window(datetime.fromtimestamp(end.timestamp(), timezone.utc) - LONGEST_WINDOW, end, cut=True)
    if end - start > LONGEST_WINDOW:
        raise BadSetting(
            f"The window from {start.isoformat()} to {end.isoformat()} is longer than the {LONGEST_WINDOW.days} days"
            " allowed. Run it in several shorter windows."
        )
    return Window(start, end)
