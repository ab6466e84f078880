"""The span of time that a run pulls."""

from datetime import datetime, timedelta, timezone

import pendulum
import pytest

from wolkvox.errors import BadSetting
from wolkvox.rules.window import Window, choose_window

EIGHT = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
QUARTER_PAST = EIGHT + timedelta(minutes=15)
DAY = timedelta(days=1)


def chosen(
    start: datetime | None = None, end: datetime | None = None, lookback: timedelta = DAY, interval: datetime = EIGHT
) -> Window:
    return choose_window(
        asked_start=start,
        asked_end=end,
        interval_start=interval,
        interval_end=interval + timedelta(minutes=15),
        lookback=lookback,
    )


def test_a_scheduled_run_pulls_its_interval_and_looks_back_for_late_rows() -> None:
    assert chosen() == Window(EIGHT - DAY, QUARTER_PAST)
    assert chosen(lookback=timedelta(0)) == Window(EIGHT, QUARTER_PAST)


def test_a_window_that_is_asked_for_is_not_widened() -> None:
    assert chosen(EIGHT - 3 * DAY, EIGHT - 2 * DAY) == Window(EIGHT - 3 * DAY, EIGHT - 2 * DAY)


def test_a_start_alone_ends_with_the_interval() -> None:
    assert chosen(start=EIGHT - 3 * DAY) == Window(EIGHT - 3 * DAY, QUARTER_PAST)


@pytest.mark.parametrize("end", [EIGHT - timedelta(hours=2), EIGHT - 10 * DAY])
def test_an_end_alone_looks_back_from_itself_when_it_is_before_the_interval(end: datetime) -> None:
    assert chosen(end=end) == Window(end - DAY, end)


def test_an_end_alone_looks_back_from_the_interval_when_it_is_after_it() -> None:
    assert chosen(end=QUARTER_PAST + DAY) == Window(EIGHT - DAY, QUARTER_PAST + DAY)


def test_thirty_one_days_are_allowed() -> None:
    assert chosen(EIGHT - 31 * DAY, EIGHT) == Window(EIGHT - 31 * DAY, EIGHT)


@pytest.mark.parametrize("days", [timedelta(days=31, microseconds=1), 40 * DAY, 9_000 * DAY])
def test_a_longer_window_is_refused(days: timedelta) -> None:
    with pytest.raises(BadSetting) as refused:
        chosen(EIGHT - days, EIGHT)
    assert str(refused.value) == (
        f"The window from {(EIGHT - days).isoformat()} to 2026-03-02T08:00:00+00:00 is longer than the 31 days"
        " allowed. Run it in several shorter windows."
    )


def test_thirty_one_days_are_counted_in_hours_not_on_the_wall_clock() -> None:
    start = pendulum.datetime(2026, 2, 20, tz="America/New_York")
    end = pendulum.datetime(2026, 3, 23, tz="America/New_York")  # an hour of these 31 days is skipped
    assert chosen(start, end) == Window(start, end)
    assert chosen(start, end.add(hours=1)) == Window(start, end.add(hours=1))
    with pytest.raises(BadSetting, match="31 days allowed"):
        chosen(start, end.add(hours=1, seconds=1))


@pytest.mark.parametrize("start", [EIGHT, EIGHT + timedelta(seconds=1), QUARTER_PAST + DAY])
def test_an_empty_or_reversed_window_is_refused(start: datetime) -> None:
    with pytest.raises(
        BadSetting, match=r"^The window is empty: window_start .* is not before window_end 2026-03-02T08"
    ):
        chosen(start, EIGHT)


def test_a_look_back_alone_may_be_too_long() -> None:
    with pytest.raises(BadSetting, match="31 days allowed"):
        chosen(lookback=31 * DAY)
