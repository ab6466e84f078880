# ruff: noqa: DTZ001 - timestamps without a zone are what is tested
"""How timestamps of warehouses and drivers are read."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from contact_rows import BOGOTA, NEW_YORK, NOON

from wolkvox.rules.timestamps import parse_timestamp, read_timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 12:00:00.4996+00",
        "2026-03-02T12:00:00.499600000Z",
        "2026-03-02 07:00:00,4996-05:00",
        "2026-03-02 12:00:00.5 +0000",
        "\u200e2026-03-02 07:00:00\xa0",
        "2026-03-02 07:00",
        b"2026-03-02 07:00:00",
    ],
)
def test_a_timestamp_is_read_as_databases_write_it(text: object) -> None:
    timestamp = read_timestamp(text, BOGOTA)
    assert timestamp is not None
    assert timestamp.replace(microsecond=0) == NOON


@pytest.mark.parametrize(
    ("contacted_at", "utc"),
    [
        (datetime(2026, 3, 2, 7, 0), NOON),
        (datetime(2026, 3, 2, 7, 0, tzinfo=timezone(timedelta(hours=-5))), NOON),
        (datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc), NOON),
        ("2026-03-02 07:00:00", NOON),
        ("2026-03-02T12:00:00Z", NOON),
        (" 2026-03-02T13:00:00+01:00 ", NOON),
        (date(2026, 3, 2), datetime(2026, 3, 2, 5, tzinfo=timezone.utc)),
        ("2026-03-02", datetime(2026, 3, 2, 5, tzinfo=timezone.utc)),
        # Bogota saved daylight in 1992 only: the offset is the same in July.
        (datetime(2026, 7, 2, 7, 0), datetime(2026, 7, 2, 12, tzinfo=timezone.utc)),
    ],
)
def test_a_timestamp_without_a_zone_is_read_in_bogota(contacted_at: object, utc: datetime) -> None:
    timestamp = read_timestamp(contacted_at, BOGOTA)
    assert timestamp == utc
    assert timestamp is not None
    assert timestamp.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("wall_clock", "utc"),
    [
        (datetime(2026, 3, 8, 1, 59), datetime(2026, 3, 8, 6, 59, tzinfo=timezone.utc)),
        (datetime(2026, 3, 8, 2, 30), datetime(2026, 3, 8, 7, 30, tzinfo=timezone.utc)),  # the hour that isn't
        (datetime(2026, 3, 8, 3, 0), datetime(2026, 3, 8, 7, 0, tzinfo=timezone.utc)),
        (datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=timezone.utc)),  # the hour that is twice
        (datetime(2026, 11, 1, 1, 30, fold=1), datetime(2026, 11, 1, 6, 30, tzinfo=timezone.utc)),
    ],
)
def test_the_clock_may_change_where_the_zone_changes_it(wall_clock: datetime, utc: datetime) -> None:
    assert read_timestamp(wall_clock, NEW_YORK) == utc


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-03-02 12:00:00 UTC",
            "2026-03-02 12:00:00.000 UTC",
            "2026-03-02T12",
            "2026-03-02 12Z",
            "2026-03-02T07-05",
        ),
        *(
            "2026-03-02 07:00:00.000 America/Bogota",
            "2026-03-02 12:00 GMT",
            "2026-03-02 12:00:00UTC",
            "2026-03-02T12:00Z",
        ),
    ],
)
def test_a_timestamp_is_read_as_athena_and_presto_write_it(text: str) -> None:
    assert read_timestamp(text, timezone.utc) == NOON


@pytest.mark.parametrize(
    "text", ["2026-03-02T1", "2026-03-02 12:00 COT", "2026-03-02 12:00 Mars/Base", "2026-03-02T24"]
)
def test_a_timestamp_that_may_mean_several_things_is_none(text: str) -> None:
    assert parse_timestamp(text, BOGOTA) == (None, "unreadable")
