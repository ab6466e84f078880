"""A run's options, read from the DAG's params."""

from datetime import datetime, timedelta, timezone

import pytest

from wolkvox.errors import BadSetting
from wolkvox.rules.options import BEGAN_BY, RunOptions, began_by, name_of_record, read_options

BOGOTA = "America/Bogota"


def test_a_run_without_params_takes_the_defaults() -> None:
    assert read_options({}, BOGOTA) == RunOptions(
        window_start=None,
        window_end=None,
        lookback=timedelta(hours=24),
        limit=None,
        run_seconds=None,
        dry_run=False,
        max_failed_ratio=0.05,
        resend=None,
    )


def test_every_param_is_read() -> None:
    params = {
        "window_start": "2026-03-01T08:00:00-05:00",
        "window_end": "2026-03-02T08:00:00Z",
        "lookback_hours": 1.5,
        "limit": 10,
        "run_minutes": 1.5,
        "dry_run": True,
        "max_failed_ratio": 0,
        "resend": "refused_422",
    }
    assert read_options(params, BOGOTA) == RunOptions(
        window_start=datetime(2026, 3, 1, 13, tzinfo=timezone.utc),
        window_end=datetime(2026, 3, 2, 8, tzinfo=timezone.utc),
        lookback=timedelta(minutes=90),
        limit=10,
        run_seconds=90.0,
        dry_run=True,
        max_failed_ratio=0.0,
        resend="refused_422",
    )


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_param_is_its_default(empty: str | None) -> None:
    names = ("window_start", "window_end", "lookback_hours", "limit", "run_minutes", "max_failed_ratio", "resend")
    assert read_options(dict.fromkeys(names, empty), BOGOTA) == read_options({}, BOGOTA)


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-03-01", datetime(2026, 3, 1, 5, tzinfo=timezone.utc)),
        ("2026-03-01T08:00:00", datetime(2026, 3, 1, 13, tzinfo=timezone.utc)),
        ("2026-03-01 08:00:00.5", datetime(2026, 3, 1, 13, 0, 0, 500_000, tzinfo=timezone.utc)),
        ("2026-03-01T08:00:00+01:00", datetime(2026, 3, 1, 7, tzinfo=timezone.utc)),
    ],
)
def test_a_moment_without_a_zone_is_read_in_the_given_one(given: str, utc: datetime) -> None:
    assert read_options({"window_start": given}, BOGOTA).window_start == utc


@pytest.mark.parametrize("name", ["window_start", "window_end"])
@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "yesterday",
        "2026-13-01",
        "P1D",
        "2026-01-01/2026-01-02",
        5,
        "{{ ds }}",
    ],
)
def test_what_is_no_moment_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadSetting, match=f"^{name} must be a timestamp such as 2026-01-31T08:00:00-05:00.$"):
        read_options({name: value}, BOGOTA)


@pytest.mark.parametrize(("name", "most"), [("limit", 1_000_000_000), ("lookback_hours", 744), ("max_failed_ratio", 1)])
def test_what_is_no_number_in_its_range_is_refused(name: str, most: int) -> None:
    outside: list[object] = [-1, most + 1, 1e300, "many", "nan", "inf", []]
    for value in outside:
        with pytest.raises(BadSetting, match=f"^{name} must be a number from 0 to {most}.$"):
            read_options({name: value}, BOGOTA)
    read_options({name: most}, BOGOTA)


@pytest.mark.parametrize("minutes", [0, -1, 90.1, 1_440])
def test_a_run_has_some_time_and_no_more_than_airflow_lets_a_task_live(minutes: float) -> None:
    with pytest.raises(BadSetting, match="run_minutes must be"):
        read_options({"run_minutes": minutes}, BOGOTA)
    assert read_options({"run_minutes": 90}, BOGOTA).run_seconds == 5_400


def test_a_run_that_is_too_long_says_why_and_that_nothing_is_lost() -> None:
    with pytest.raises(BadSetting, match="from 0 to 90; Airflow may end tasks that take longer, and the next run"):
        read_options({"run_minutes": 120}, BOGOTA)


@pytest.mark.parametrize(("given", "meant"), [("True", True), ("true", True), ("False", False), (False, False)])
def test_dry_run_may_be_spelt_out(given: object, meant: bool) -> None:
    assert read_options({"dry_run": given}, BOGOTA).dry_run is meant


@pytest.mark.parametrize(("told", "read"), [(None, None), ("", None), (" A-7 ", "A-7"), (1001, "1001")])
def test_one_customer_is_read_as_the_warehouse_has_it(told: object, read: str | None) -> None:
    assert read_options({"customer_id": told}, "UTC").customer_id == read


@pytest.mark.parametrize("told", ["  ", "\u200e", True, [], 1.5])
def test_what_is_no_customer_is_refused_and_never_means_everybody(told: object) -> None:
    with pytest.raises(BadSetting, match="customer_id must be the id of one customer"):
        read_options({"customer_id": told}, "UTC")


@pytest.mark.parametrize(
    ("run_type", "beginner"),
    [
        ("asset_triggered", "event"),
        ("scheduled", "schedule"),
        ("manual", "person"),
        ("backfill", "other"),
        ("operator_triggered", "other"),
        ("asset_materialization", "other"),
    ],
)
def test_what_began_a_run_is_in_its_type(run_type: str, beginner: str) -> None:
    assert began_by(run_type) == beginner
    assert beginner in BEGAN_BY


@pytest.mark.parametrize(
    "params",
    [
        {"dry_run": True},
        {"window_start": "2026-03-01T00:00:00Z"},
        {"window_end": "2026-03-01T00:00:00Z"},
        {"customer_id": "1001"},
    ],
)
def test_a_run_that_pulls_something_else_is_not_usual(params: dict[str, object]) -> None:
    assert not read_options(params, BOGOTA).is_usual
    assert read_options({"limit": 5, "run_minutes": 1, "lookback_hours": 1, "resend": "failed"}, BOGOTA).is_usual


@pytest.mark.parametrize("given", ["TRUE", 1, "yes", " ON "])
def test_a_dry_run_that_is_asked_for_in_other_words_is_one(given: object) -> None:
    assert read_options({"dry_run": given}, BOGOTA).dry_run


@pytest.mark.parametrize("given", ["sí", "ture", 2, "dry", []])
def test_what_is_neither_on_nor_off_sends_nothing(given: object) -> None:
    with pytest.raises(BadSetting, match="dry_run must be true or false"):
        read_options({"dry_run": given}, BOGOTA)


@pytest.mark.parametrize("given", [True, "1e1", "1_0", "inf", "\u0661", "1,5", "010:00", "+5"])
@pytest.mark.parametrize("name", ["lookback_hours", "run_minutes", "limit"])
def test_a_number_is_digits_with_at_most_one_dot(name: str, given: object) -> None:
    with pytest.raises(BadSetting, match=f"{name} must be a number"):
        read_options({name: given}, BOGOTA)


@pytest.mark.parametrize(
    ("written", "record"),
    [
        ("record 7", 7),
        (" record 123456 ", 123456),
        ("record 0", None),
        ("record x", None),
        ("1001", None),
        (None, None),
    ],
)
def test_the_number_of_a_record_may_stand_for_its_customer(written: str | None, record: int | None) -> None:
    assert read_options({"customer_id": written}, "UTC").customer_record == record


def test_a_record_is_named_as_it_is_read() -> None:
    assert read_options({"customer_id": name_of_record(7)}, "UTC").customer_record == 7
