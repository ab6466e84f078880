"""Whether contacts come in and go out, in one look. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from wolkvox.page.queries import Polls, Run
from wolkvox.rules.schedule import SOON, is_overdue
from wolkvox.rules.wake import is_unwatched

UNSURE = timedelta(hours=1)  # without a cron, while there is one run only and so no telling how often they come


@dataclass(frozen=True, slots=True)
class HealthSigns:
    """
    What tells of life: the DAG (``paused`` None: Airflow has no such DAG), its runs, the newest first, and the newest
    contact that came in. ``silent``: what people were told of a source from which nothing comes. ``undelivered``: since
    when alerts don't reach somebody. ``polls``: what begins the runs, when the DAG's trigger last polled for work, and
    whether it can count the warehouse.
    """

    dag_id: str
    paused: bool | None
    runs: Sequence[Run]
    newest: datetime | None
    silent: str | None
    polls: Polls
    outage: bool
    suspended: int
    left: int | None
    waiting: int
    undelivered: datetime | None = None


def alive(signs: HealthSigns, now: datetime) -> dict[str, Any]:
    """The problems, the worst first (none: all is well), and the values of the sentence that says so."""
    last = next((run for run in signs.runs if run.ended_at), None)
    uncounted_since = None if signs.paused else signs.polls.uncounted_since
    problems = {
        "absent": signs.paused is None,
        "paused": bool(signs.paused),
        "never": last is None,
        "late": last is not None and not signs.paused and _is_late(signs, last, now),
        "outage": signs.outage,
        "failed": last is not None and last.state == "failed" and not signs.outage,
        "silent": signs.silent is not None,
        "quota": signs.left == 0 and signs.waiting > 0,
        "undelivered": signs.undelivered is not None,
        "unwatched": not signs.paused and is_unwatched(signs.polls.schedule.wake, signs.polls.polled_at, now),
        "uncounted": uncounted_since is not None,
    }
    return {
        "problems": [name for name, is_there in problems.items() if is_there],
        "dag": signs.dag_id,
        "last_ended_at": last and last.ended_at and last.ended_at.isoformat(),
        "last_state": last and last.state,
        "last_run": last and last.dag_run_id,
        "newest": signs.newest and signs.newest.isoformat(),
        "suspended": signs.suspended,
        "left": signs.left,
        "undelivered_since": signs.undelivered and signs.undelivered.isoformat(),
        "uncounted_since": uncounted_since and uncounted_since.isoformat(),
    }


def _is_late(signs: HealthSigns, last: Run, now: datetime) -> bool:
    """Whether a later run should have ended by now, by the DAG's cron; without one, by the usual distance of runs."""
    assert last.ended_at is not None
    if signs.polls.schedule.cron is not None:
        return is_overdue(signs.polls.schedule, last.ended_at, now)
    begins = [run.began_at for run in signs.runs]
    gaps = [(newer - older).total_seconds() for newer, older in pairwise(begins)]
    usual = timedelta(seconds=3 * median(gaps)) if gaps else UNSURE
    return now - last.ended_at > max(SOON, usual)
