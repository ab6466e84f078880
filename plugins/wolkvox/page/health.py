"""How the operation is, as JSON. Pure: what the ledger and Airflow said goes in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from wolkvox.ledger.figures import Figures
from wolkvox.page.known import Known
from wolkvox.rules.health import Finding, HealthSigns, Lag, judge

# Sentences that name other DAGs, which not every reader may know of.
NAMING = ("operations",)


def health(known: Known) -> dict[str, Any]:
    """The level, what was found, the worst first, and the times that the first line names."""
    judged = judge(_signs(known), known.now)
    runs = known.dag_runs
    last = next((run for run in known.runs if run.dag_id == known.dag_id and run.ended_at), None)
    return {
        "level": judged.level.name.lower(),
        "findings": [_finding(one) for one in judged.findings],
        "off_until": _iso(judged.off_until),
        "dag": known.dag_id,
        "last_ended_at": _iso(runs.last_ended_at),
        "last_state": runs.last_state,
        "last_run": last and last.dag_run_id,
        "newest": _iso(known.newest),
        "left": known.left,
    }


def _signs(known: Known) -> HealthSigns:
    fresh, outage = known.fresh[0], known.outage
    hours = [known.figures[hour] for hour in known.hours]
    return HealthSigns(
        runs=known.dag_runs,
        schedule=known.polls.schedule,
        lag=Lag(fresh.p50, fresh.p95, known.lag_target, late_since(known.hours, hours, known.lag_target)),
        waiting=known.waiting,
        polled_at=known.polls.polled_at,
        uncounted_since=known.polls.uncounted_since,
        undelivered_since=known.undelivered,
        outage=outage and (outage.since, outage.until),
        suspended=[campaign.since for campaign in known.suspended],
        unbegun_since=known.unbegun and known.unbegun.since,
        left=known.left,
        resets_at=known.resets_at,
        alerts=known.alerts,
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


def _finding(found: Finding) -> dict[str, Any]:
    values = dict(found.values)
    if values.get("alert") in NAMING:
        values["message"] = None
    said = {name: _iso(value) if isinstance(value, datetime) else value for name, value in values.items()}
    return {"name": found.name, "level": found.level.name.lower(), "since": _iso(found.since), **said}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
