"""The span of time that a run pulls."""

from datetime import datetime, timedelta, timezone

import pendulum
import pytest

from wolkvox.errors import BadSetting
from wolkvox.rules.window import Window, choose_window, interval_of

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


@pytest.mark.parametrize(
    ("lookback", "interval"),
    [
        (31 * DAY, timedelta(minutes=15)),  # one that looks back as far as is allowed
        (30 * DAY, 3 * DAY),  # a Monday after a schedule of working days
        (DAY, 31 * DAY),  # once a month
        (DAY, 365 * DAY),  # once a year
        (timedelta(0), 31 * DAY + timedelta(seconds=1)),
    ],
)
def test_a_window_that_nobody_asked_for_is_cut_to_its_last_31_days(lookback: timedelta, interval: timedelta) -> None:
    window = choose_window(
        asked_start=None, asked_end=None, interval_start=EIGHT - interval, interval_end=EIGHT, lookback=lookback
    )
    assert window == Window(EIGHT - 31 * DAY, EIGHT, cut=True)


def test_a_cut_window_has_31_days_by_the_hour_though_the_clocks_change() -> None:
    end = pendulum.datetime(2026, 3, 23, tz="America/New_York")
    window = choose_window(
        asked_start=None, asked_end=None, interval_start=end.subtract(days=40), interval_end=end, lookback=DAY
    )
    assert (window.end - window.start, window.cut) == (31 * DAY, True)


def test_a_window_that_fits_is_not_cut() -> None:
    window = choose_window(
        asked_start=None, asked_end=None, interval_start=EIGHT - DAY, interval_end=EIGHT, lookback=30 * DAY
    )
    assert window == Window(EIGHT - 31 * DAY, EIGHT, cut=False)


@pytest.mark.parametrize("asked", [{"asked_start": EIGHT - 40 * DAY}, {"asked_end": EIGHT + 40 * DAY}])
def test_a_window_of_which_one_end_is_asked_for_is_refused_when_it_is_too_long(asked: dict[str, datetime]) -> None:
    ends = {"asked_start": None, "asked_end": None, **asked}
    with pytest.raises(BadSetting, match="31 days allowed"):
        choose_window(**ends, interval_start=EIGHT, interval_end=QUARTER_PAST, lookback=DAY)


@pytest.mark.parametrize("lookback", [timedelta(0), timedelta(seconds=30)])
def test_a_run_without_an_interval_reaches_back_though_its_look_back_is_little_or_nothing(lookback: timedelta) -> None:
    ends: dict[str, None] = {"asked_start": None, "asked_end": None}
    window = choose_window(**ends, interval_start=EIGHT, interval_end=EIGHT, lookback=lookback)
    assert window == Window(EIGHT - timedelta(minutes=15), EIGHT)
    window = choose_window(**ends, interval_start=EIGHT, interval_end=QUARTER_PAST, lookback=lookback)
    assert window == Window(EIGHT - lookback, QUARTER_PAST)


# The interval of a run


LATER = EIGHT + timedelta(hours=5)


def test_a_scheduled_run_ends_with_its_interval_however_late_it_starts() -> None:
    assert interval_of("schedule", EIGHT, QUARTER_PAST, LATER, None) == Window(EIGHT, QUARTER_PAST)


def test_a_run_that_a_person_began_reaches_up_to_its_trigger() -> None:
    assert interval_of("person", EIGHT, QUARTER_PAST, LATER, None) == Window(EIGHT, LATER)
    assert interval_of("person", EIGHT, LATER, QUARTER_PAST, None) == Window(EIGHT, LATER)
    assert interval_of("person", None, None, LATER, None) == Window(LATER, LATER)


def test_a_run_that_an_event_began_ends_when_it_stages_not_when_the_first_event_came() -> None:
    """What came while it waited for its turn would be outside, and no later event may tell of it."""
    assert interval_of("event", None, None, EIGHT, LATER) == Window(LATER, LATER)


def test_a_run_of_another_kind_ends_with_its_interval_or_at_its_beginning() -> None:
    assert interval_of("other", EIGHT, QUARTER_PAST, LATER, None) == Window(EIGHT, QUARTER_PAST)
    assert interval_of("other", None, None, LATER, None) == Window(LATER, LATER)
