"""When a DAG's runs are overdue."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from wolkvox.rules.schedule import Schedule, is_overdue

BOGOTA = ZoneInfo("America/Bogota")
QUARTERS = Schedule("*/15 * * * *", "America/Bogota")
OFFICE = Schedule("*/15 8-20 * * 1-5", "America/Bogota")


def at(hour: int, minute: int, day: int = 3) -> datetime:
    """A moment of March 2026, whose first day is a Sunday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=BOGOTA)


@pytest.mark.parametrize(
    ("last", "now", "overdue"),
    [
        (at(10, 1), at(10, 40), False),
        (at(10, 14), at(10, 41), True),
        (at(10, 15), at(10, 41), False),
        (at(10, 15), at(10, 56), True),
    ],
)
def test_two_dates_pass_and_ten_minutes_more_before_anything_is_overdue(
    last: datetime, now: datetime, overdue: bool
) -> None:
    assert is_overdue(QUARTERS, last, now) is overdue


def test_a_run_a_minute_has_ten_minutes() -> None:
    minutes = Schedule("*/1 * * * *", "America/Bogota")
    assert not is_overdue(minutes, at(10, 0), at(10, 10))
    assert is_overdue(minutes, at(10, 0), at(10, 13))


def test_nothing_is_overdue_while_the_cron_is_at_rest() -> None:
    friday = at(20, 46, 6)
    assert not is_overdue(OFFICE, friday, at(3, 0, 8))
    assert not is_overdue(OFFICE, friday, at(8, 20, 9))
    assert is_overdue(OFFICE, friday, at(8, 26, 9))


def test_without_a_cron_nothing_is_overdue() -> None:
    assert not is_overdue(Schedule(), at(1, 0), at(1, 0) + timedelta(days=400))


@pytest.mark.parametrize("cron", ["@hourly", "0 0 29 2 *", "0 2 * * 0"])
def test_every_cron_that_airflow_takes_can_be_asked(cron: str) -> None:
    schedule = Schedule(cron, "America/Santiago")
    assert not is_overdue(schedule, at(10, 0), at(10, 5))
    assert is_overdue(schedule, at(10, 0), at(10, 0) + timedelta(days=10_000))
