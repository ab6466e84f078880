"""How the operation is, as JSON. Pure: what the ledger and Airflow said goes in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from wolkvox.ledger.figures import Figures
from wolkvox.page.situation import Situation
from wolkvox.rules.health import Finding, HealthSigns, Lag, judge

# Sentences that name other DAGs, which not every reader may know of.
NAMING = ("operations",)


def health(situation: Situation) -> dict[str, Any]:
    """The level, what was found, the worst first, and the times that the first line names."""
    judged = judge(_observed(situation), situation.now)
    runs = situation.dag_runs
    last = next((run for run in situation.runs if run.dag_id == situation.dag_id and run.ended_at), None)
    return {
        "level": judged.level.name.lower(),
        "findings": [_finding(one) for one in judged.findings],
        "off_until": _iso(judged.off_until),
        "dag": situation.dag_id,
        "last_ended_at": _iso(runs.last_ended_at),
        "last_state": runs.last_state,
        "last_run": last and last.dag_run_id,
        "newest": _iso(situation.newest),
        "left": situation.left,
    }


def _observed(situation: Situation) -> HealthSigns:
    fresh, outage = situation.fresh[0], situation.outage
    hours = [situation.figures[hour] for hour in situation.hours]
    return HealthSigns(
        runs=situation.dag_runs,
        schedule=situation.polls.schedule,
        lag=Lag(fresh.p50, fresh.p95, situation.lag_target, late_since(situation.hours, hours, situation.lag_target)),
        waiting=situation.waiting,
        polled_at=situation.polls.polled_at,
        uncounted_since=situation.polls.uncounted_since,
        undelivered_since=situation.undelivered,
        outage=outage and (outage.since, outage.until),
        suspended=[campaign.since for campaign in situation.suspended],
        unbegun_since=situation.unbegun and situation.unbegun.since,
        left=situation.left,
        resets_at=situation.resets_at,
        alerts=situation.alerts,
    )


def late_since(
    hours: Sequence[tuple[datetime, datetime]], figures: Sequence[Figures], target: timedelta
) -> datetime | None:
    """The begin of the first of the latest hours in a row of which 95 % of the contacts took longer than the target."""
    late = None
    for (starts_at, _), figure in reversed(list(zip(hours, figures, strict=True))):
        if figure.lag_p95 is None:
            continue
        if figure.lag_p95 <= target.total_seconds():
            break
        late = starts_at
    return late


def _finding(finding: Finding) -> dict[str, Any]:
    values = dict(finding.values)
    if values.get("alert") in NAMING:
        values["message"] = None
    said = {name: _iso(value) if isinstance(value, datetime) else value for name, value in values.items()}
    return {"name": finding.name, "level": finding.level.name.lower(), "since": _iso(finding.since), **said}


def _iso(timestamp: datetime | None) -> str | None:
    return None if timestamp is None else timestamp.isoformat()
