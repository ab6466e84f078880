"""When a DAG's runs are due. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

SOON = timedelta(minutes=10)  # that a run may take from its date to its end before it is called late
MISSED = 2  # dates of the cron that pass before something is overdue: one run may be long


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    What begins a DAG's runs.

    ``cron``: runs come at these dates in any case, on the clock of ``timezone``; None: they don't. ``wake``: seconds
    between two polls for work by the DAG's trigger; None: it has none.
    """

    cron: str | None = None
    timezone: str = "UTC"
    wake: float | None = None


def is_overdue(schedule: Schedule, last: datetime, now: datetime) -> bool:
    """Whether two of the cron's dates, the later one ten minutes ago or more, have passed since ``last``."""
    if schedule.cron is None:
        return False
    dates = croniter(schedule.cron, (now - SOON).astimezone(ZoneInfo(schedule.timezone)))
    for _ in range(MISSED):
        date: datetime = dates.get_prev(datetime)
    return last < date
