"""Whether an operation is well, and what of it needs somebody: what, since when, and how bad it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from statistics import median
from typing import Any

from wolkvox.rules.options import LONGEST_RUN
from wolkvox.rules.schedule import SOON, Schedule, is_overdue
from wolkvox.rules.wake import is_unwatched

LAG_TARGET = timedelta(minutes=6)  # the dialler picks its next customers every six minutes
BACKLOG_AGE = timedelta(hours=24)
BAD_LAG = 10  # times the target: a median above it is bad
OFF_HOURS = timedelta(hours=1)  # until the next run, where nothing else begins one
UNSURE = timedelta(hours=1)  # without a cron, while there is one run only and so no telling how often they come
COVERED = {  # findings that say what an alert, or a kind of alerts, says
    "outage": ("outage",),
    "silence": ("silent",),
    "backlog_age": ("waiting",),
    "late": ("late",),
    "red": ("failed", "outage"),
    "suspended": ("suspended",),
}


class Level(IntEnum):
    """How bad something is; the worst level is the operation's."""

    WELL = 0
    LOOK = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that needs somebody: ``values`` are what its sentence needs, times among them."""

    name: str
    level: Level
    since: datetime | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Runs:
    """
    The runs of a DAG.

    ``due_at``: when Airflow's own timetable has the next one begin, None where Airflow can't begin it now. ``began``:
    when the latest ones began, the newest first.
    """

    paused: bool | None = False
    due_at: datetime | None = None
    last_ended_at: datetime | None = None
    last_state: str | None = None
    under_way_since: datetime | None = None
    began: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from contact to codification, of what was coded in the last hour; None where nothing was."""

    p50: float | None = None
    p95: float | None = None
    target: timedelta = LAG_TARGET
    late_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    What waits: ``sendable`` can be sent now, ``suspended`` wait for their campaign, ``deferred`` for their next
    attempt. ``oldest``: when the oldest sendable contact was made.
    """

    sendable: int = 0
    suspended: int = 0
    deferred: int = 0
    oldest: datetime | None = None
    most_age: timedelta = BACKLOG_AGE


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is firing, and its sentence."""

    name: str
    since: datetime
    message: str | None = None


@dataclass(frozen=True, slots=True)
class HealthSigns:
    """
    What tells how an operation is.

    ``polled_at``: when the DAG's trigger last polled for work. ``uncounted_since``: since when nobody can count the
    warehouse. ``undelivered_since``: since when alerts don't reach somebody. ``outage``: since when nothing can be
    sent, and when it is tried next. ``suspended``: since when each suspended campaign is. ``unbegun_since``: since when
    chunks wait for a task. ``left``: requests of today, None for no known limit.
    """

    runs: Runs
    schedule: Schedule
    lag: Lag = Lag()
    waiting: Waiting = Waiting()
    polled_at: datetime | None = None
    uncounted_since: datetime | None = None
    undelivered_since: datetime | None = None
    outage: tuple[datetime, datetime] | None = None
    suspended: Sequence[datetime] = ()
    unbegun_since: datetime | None = None
    left: int | None = None
    resets_at: datetime | None = None
    alerts: Sequence[OpenAlert] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """The worst level, and what was found, the worst first. ``off_until``: when it goes on, outside its hours."""

    level: Level
    findings: Sequence[Finding]
    off_until: datetime | None = None


def judge(observed: HealthSigns, now: datetime) -> Health:
    """How the operation is at ``now``."""
    measured_at = (observed.runs.last_ended_at if observed.schedule.wake is None else None) or now
    noticed = [*_of_runs(observed, now), *_of_sending(observed, measured_at), *_of_people(observed, now)]
    named = {one.name: one for one in noticed}
    findings = [*_dated(named, observed.alerts).values(), *_other_alerts(named, observed.alerts)]
    off = off_until(observed.runs, observed.schedule, now)
    findings.sort(key=lambda one: -one.level)
    return Health(max((one.level for one in findings), default=Level.WELL), findings, off)


def off_until(runs: Runs, schedule: Schedule, now: datetime) -> datetime | None:
    """When the next run comes, where the schedule alone begins runs and has none for an hour."""
    if runs.paused is not False or schedule.wake is not None or runs.due_at is None:
        return None
    return runs.due_at if runs.due_at - now > OFF_HOURS else None


def _of_runs(observed: HealthSigns, now: datetime) -> list[Finding]:
    """Whether runs come, end, and end well."""
    runs = observed.runs
    if runs.paused is None:
        return [Finding("absent", Level.BAD)]
    findings = []
    if runs.paused:
        findings.append(Finding("paused", Level.BAD, runs.last_ended_at))
    elif (late := _late_since(observed, now)) is not None:
        findings.append(Finding("late", Level.BAD, late))
    if runs.last_ended_at is None:
        findings.append(Finding("never", Level.LOOK))
    if runs.last_state == "failed" and observed.outage is None:
        findings.append(Finding("failed", Level.BAD, runs.last_ended_at))
    if observed.unbegun_since is not None:
        findings.append(Finding("unstarted", Level.BAD, observed.unbegun_since))
    return findings


def _late_since(observed: HealthSigns, now: datetime) -> datetime | None:
    """
    Since when a run is missing: the one that Airflow's timetable has due has not begun, or the last ones never ended.

    A DAG that Airflow can't date and that has no cron is judged by the usual distance of its runs.
    """
    runs = observed.runs
    if runs.due_at is not None and now - runs.due_at > SOON:
        return runs.due_at
    is_at_work = runs.under_way_since is not None and now - runs.under_way_since < LONGEST_RUN
    if runs.last_ended_at is None or is_at_work:
        return None
    if observed.schedule.cron is not None:
        return runs.last_ended_at if is_overdue(observed.schedule, runs.last_ended_at, now) else None
    gaps = [(newer - older).total_seconds() for newer, older in pairwise(runs.began)]
    usual = timedelta(seconds=3 * median(gaps)) if gaps else UNSURE
    return runs.last_ended_at if runs.due_at is None and now - runs.last_ended_at > max(SOON, usual) else None


def _of_sending(observed: HealthSigns, measured_at: datetime) -> list[Finding]:
    """Whether wolkvox hears of contacts, and soon enough, as of the last time at which somebody could send."""
    findings, waiting = [], observed.waiting
    if observed.outage is not None:
        since, until = observed.outage
        findings.append(Finding("outage", Level.BAD, since, {"until": until}))
    findings += _of_lag(observed.lag)
    if observed.left == 0 and waiting.sendable > 0:
        findings.append(Finding("quota", Level.LOOK, None, {"until": observed.resets_at, "records": waiting.sendable}))
    if (overdue := _overdue_since(waiting, measured_at)) is not None:
        values = {"records": waiting.sendable, "oldest": waiting.oldest}
        findings.append(Finding("waiting", Level.LOOK, overdue, values))
    if observed.suspended:
        values = {"number": len(observed.suspended), "records": waiting.suspended}
        findings.append(Finding("suspended", Level.LOOK, min(observed.suspended), values))
    return findings


def _of_lag(lag: Lag) -> list[Finding]:
    """What was coded in the last hour came too late for one in twenty, or much too late for every second one."""
    target = lag.target.total_seconds()
    if lag.p50 is None or lag.p95 is None or lag.p95 <= target:
        return []
    level = Level.BAD if lag.p50 > BAD_LAG * target else Level.LOOK
    return [Finding("lag", level, lag.late_since, {"p50": lag.p50, "p95": lag.p95, "target": target})]


def _overdue_since(waiting: Waiting, at: datetime) -> datetime | None:
    """Since when the oldest contact that can be sent has waited for too long, as of ``at``."""
    if waiting.oldest is None or waiting.sendable == 0:
        return None
    overdue = waiting.oldest + waiting.most_age
    return overdue if overdue < at else None


def _of_people(observed: HealthSigns, now: datetime) -> list[Finding]:
    """Whether the machinery around it works: alerts reach people, triggers poll."""
    findings = []
    if observed.undelivered_since is not None:
        findings.append(Finding("undelivered", Level.LOOK, observed.undelivered_since))
    if observed.runs.paused is False:
        if is_unwatched(observed.schedule.wake, observed.polled_at, now):
            findings.append(Finding("unwatched", Level.LOOK, observed.polled_at))
        if observed.uncounted_since is not None:
            findings.append(Finding("uncounted", Level.LOOK, observed.uncounted_since))
    if (silent := next((one for one in observed.alerts if one.name == "silence"), None)) is not None:
        findings.append(Finding("silent", Level.BAD, silent.since))
    return findings


def _covered_by(alert: OpenAlert, named: Mapping[str, Finding]) -> str | None:
    """The finding that says the same as an alert, if there is one."""
    kind, _, _ = alert.name.partition(":")
    return next((name for name in COVERED.get(kind, ()) if name in named), None)


def _dated(named: Mapping[str, Finding], alerts: Sequence[OpenAlert]) -> dict[str, Finding]:
    """The findings, those without a date of their own since their alert began to fire."""
    dated = dict(named)
    for alert in alerts:
        finding = _covered_by(alert, named)
        if finding is not None and dated[finding].since is None:
            dated[finding] = replace(dated[finding], since=alert.since)
    return dated


def _other_alerts(named: Mapping[str, Finding], alerts: Sequence[OpenAlert]) -> list[Finding]:
    """The alerts that no finding covers."""
    return [
        Finding("alert", Level.LOOK, one.since, {"alert": one.name, "message": one.message})
        for one in alerts
        if _covered_by(one, named) is None
    ]
