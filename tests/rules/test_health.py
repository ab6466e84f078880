"""How an operation is: well, to be looked at, or bad; each sign with since when, and the alerts that nothing covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wolkvox.rules.health import Finding, HealthSigns, Lag, Level, OpenAlert, Runs, Waiting, judge
from wolkvox.rules.schedule import Schedule

NOW = datetime(2026, 3, 2, 10, 41, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
QUARTERS = Schedule("*/15 * * * *", "America/Bogota", 5.0)
BOGOTA = ZoneInfo("America/Bogota")
OFFICE = Schedule("*/5 8-20 * * 1-6", "America/Bogota", None)


def ago(minutes: float) -> datetime:
    return NOW - minutes * MINUTE


WELL = HealthSigns(
    runs=Runs(due_at=ago(-4), last_ended_at=ago(5), last_state="success", began=[ago(6), ago(21)]),
    schedule=QUARTERS,
    polled_at=NOW,
)


def found(signs: HealthSigns, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(one.name, one.level.name) for one in judge(signs, now).findings]


def runs(**changed: Any) -> HealthSigns:
    return replace(WELL, runs=replace(WELL.runs, **changed))


def test_an_operation_without_any_sign_is_well() -> None:
    health = judge(WELL, NOW)
    assert (health.level, health.findings, health.off_until) == (Level.WELL, [], None)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (runs(paused=None), [("absent", "BAD")]),
        (runs(paused=True), [("paused", "BAD")]),
        (runs(last_ended_at=None, last_state=None, began=[]), [("never", "LOOK")]),
        (runs(last_state="failed"), [("failed", "BAD")]),
        (replace(WELL, unbegun_since=ago(5)), [("unstarted", "BAD")]),
        (replace(WELL, outage=(ago(9), ago(-1))), [("outage", "BAD")]),
        (replace(runs(last_state="failed"), outage=(ago(9), ago(-1))), [("outage", "BAD")]),
        (replace(WELL, undelivered_since=ago(90)), [("undelivered", "LOOK")]),
        (replace(WELL, uncounted_since=ago(5)), [("uncounted", "LOOK")]),
        (replace(runs(paused=True), uncounted_since=ago(5), polled_at=ago(600)), [("paused", "BAD")]),
        (replace(WELL, suspended=[ago(60), ago(90)]), [("suspended", "LOOK")]),
        (replace(WELL, left=0, waiting=Waiting(sendable=3)), [("quota", "LOOK")]),
        (replace(WELL, left=0, waiting=Waiting(suspended=3, deferred=2)), []),
        (replace(WELL, left=0), []),
        (replace(WELL, alerts=[OpenAlert("silence", ago(200))]), [("silent", "BAD")]),
    ],
)
def test_each_sign_has_its_level(signs: HealthSigns, expected: list[tuple[str, str]]) -> None:
    assert found(signs) == expected


@pytest.mark.parametrize("polled", [None, ago(5.1), ago(600)])
def test_a_trigger_that_does_not_poll_is_looked_at(polled: datetime | None) -> None:
    assert found(replace(WELL, polled_at=polled)) == [("unwatched", "LOOK")]


@pytest.mark.parametrize(
    ("p50", "p95", "expected"),
    [
        (None, None, []),
        (60, 360, []),
        (60, 361, [("lag", "LOOK")]),
        (3_600, 3_700, [("lag", "LOOK")]),
        (3_601, 3_700, [("lag", "BAD")]),
        (36 * 3_600 + 56 * 60, 46 * 3_600 + 56 * 60, [("lag", "BAD")]),
    ],
)
def test_a_lag_above_its_target_is_never_well_and_one_of_hours_is_bad(
    p50: float | None, p95: float | None, expected: list[tuple[str, str]]
) -> None:
    assert found(replace(WELL, lag=Lag(p50, p95))) == expected


def test_the_target_is_the_operations_own() -> None:
    signs = replace(WELL, lag=Lag(60, 900, timedelta(minutes=15), ago(120)))
    assert found(signs) == []
    signs = replace(WELL, lag=Lag(60, 901, timedelta(minutes=15), ago(120)))
    (one,) = judge(signs, NOW).findings
    assert one == Finding("lag", Level.LOOK, ago(120), {"p50": 60, "p95": 901, "target": 900.0})


@pytest.mark.parametrize(
    ("hours", "waiting", "expected"),
    [
        (23.9, Waiting(sendable=1), []),
        (24.1, Waiting(sendable=1), [("waiting", "LOOK")]),
        (24.1, Waiting(suspended=120), []),
        (24.1, Waiting(sendable=1, most_age=timedelta(hours=48)), []),
        (48.1, Waiting(sendable=1, most_age=timedelta(hours=48)), [("waiting", "LOOK")]),
    ],
)
def test_what_can_be_sent_must_not_wait_for_a_day(
    hours: float, waiting: Waiting, expected: list[tuple[str, str]]
) -> None:
    assert found(replace(WELL, waiting=replace(waiting, oldest=ago(60 * hours)))) == expected


# --- whether a run is late


@pytest.mark.parametrize(("minutes", "late"), [(9, False), (11, True), (600, True)])
def test_a_run_that_airflows_timetable_has_due_and_that_does_not_begin_is_late(minutes: float, late: bool) -> None:
    signs = runs(due_at=ago(minutes))
    assert found(signs) == ([("late", "BAD")] if late else [])
    if late:
        assert judge(signs, NOW).findings[0].since == ago(minutes)


def test_a_daily_run_that_is_due_is_late_within_minutes_however_rare_its_runs_are() -> None:
    signs = runs(due_at=ago(11), last_ended_at=ago(24 * 60), began=[ago(24 * 60 * day) for day in (1, 2, 3)])
    assert found(replace(signs, schedule=Schedule(None))) == [("late", "BAD")]


def test_runs_that_begin_and_never_end_are_late_unless_one_is_at_work() -> None:
    stuck = runs(last_ended_at=ago(27), began=[ago(28 + number) for number in range(10)])
    assert found(stuck) == [("late", "BAD")]
    at_work = replace(stuck, runs=replace(stuck.runs, under_way_since=ago(40)))
    assert found(at_work) == []
    forgotten = replace(stuck, runs=replace(stuck.runs, under_way_since=ago(91)))
    assert found(forgotten) == [("late", "BAD")]


def test_a_quiet_quarter_of_an_hour_after_many_events_is_not_late() -> None:
    assert found(runs(last_ended_at=ago(24), began=[ago(24 + number) for number in range(10)])) == []


def test_a_dag_without_a_cron_or_a_due_run_is_judged_by_its_runs() -> None:
    def hourly(last: float) -> HealthSigns:
        signs = runs(due_at=None, last_ended_at=ago(last), began=[ago(last + 60 * number) for number in range(4)])
        return replace(signs, schedule=Schedule())

    assert found(hourly(60)) == []
    assert found(hourly(181)) == [("late", "BAD")]


@pytest.mark.parametrize(
    ("at", "off"),
    [
        ("2026-02-28 20:58", True),  # a Saturday evening, two minutes after the last run of the day
        ("2026-02-28 21:15", True),
        ("2026-03-01 02:00", True),
        ("2026-03-01 12:00", True),  # Sunday
        ("2026-03-02 06:58", True),
        ("2026-03-02 07:01", False),  # the next run comes within the hour
    ],
)
def test_outside_its_hours_an_operation_is_well_and_says_when_it_goes_on(at: str, off: bool) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=BOGOTA)
    due = datetime(2026, 3, 2, 8, tzinfo=BOGOTA)
    last = datetime(2026, 2, 28, 20, 56, tzinfo=BOGOTA)
    began = [last - (1 + 5 * number) * MINUTE for number in range(20)]
    signs = HealthSigns(
        runs=Runs(due_at=due, last_ended_at=last, last_state="success", began=began),
        schedule=OFFICE,
        waiting=Waiting(sendable=5, oldest=last - 8 * 60 * MINUTE),  # which nobody can send before Monday
    )
    health = judge(signs, now)
    assert health.findings == []
    assert health.off_until == (due if off else None)


def test_in_its_hours_the_same_operation_is_late_soon() -> None:
    monday = datetime(2026, 3, 2, 8, 11, tzinfo=BOGOTA)
    signs = HealthSigns(
        runs=Runs(due_at=monday - 11 * MINUTE, last_ended_at=datetime(2026, 2, 28, 20, 56, tzinfo=BOGOTA)),
        schedule=OFFICE,
    )
    assert found(signs, monday) == [("late", "BAD")]


def test_an_operation_whose_trigger_polls_has_no_hours() -> None:
    assert judge(runs(due_at=ago(-600)), NOW).off_until is None


# --- open alerts


@pytest.mark.parametrize(
    ("alert", "signs", "covered"),
    [
        ("red:refusals", runs(last_state="failed"), True),
        ("red:refusals", WELL, False),
        ("red:stage", replace(WELL, outage=(ago(9), NOW)), True),
        ("outage", replace(WELL, outage=(ago(9), NOW)), True),
        ("suspended:preview 17", replace(WELL, suspended=[ago(9)]), True),
        ("suspended:preview 17", WELL, False),
        ("backlog_age", replace(WELL, waiting=Waiting(1, oldest=ago(2_000))), True),
        ("opening", WELL, False),
        ("quota", WELL, False),
    ],
)
def test_an_open_alert_is_shown_once(alert: str, signs: HealthSigns, covered: bool) -> None:
    before = judge(signs, NOW)
    after = judge(replace(signs, alerts=[OpenAlert(alert, ago(30), "Why.")]), NOW)
    more = [] if covered else [Finding("alert", Level.LOOK, ago(30), {"alert": alert, "message": "Why."})]
    assert [*after.findings] == [*before.findings, *more]


def test_the_worst_comes_first_and_decides_the_level() -> None:
    signs = replace(WELL, suspended=[ago(9)], undelivered_since=ago(3), outage=(ago(9), NOW))
    assert [name for name, _ in found(signs)] == ["outage", "suspended", "undelivered"]
    assert judge(signs, NOW).level is Level.BAD
    assert judge(replace(signs, outage=None), NOW).level is Level.LOOK


def test_a_finding_without_a_date_has_that_of_its_alert() -> None:
    signs = replace(WELL, lag=Lag(4_000, 5_000), alerts=[OpenAlert("quota", ago(4))])
    assert [one.since for one in judge(signs, NOW).findings] == [None, ago(4)]
    never = runs(last_ended_at=None, last_state="failed")
    (failed, _) = judge(replace(never, alerts=[OpenAlert("red:tasks", ago(7))]), NOW).findings
    assert (failed.name, failed.since) == ("failed", ago(7))
