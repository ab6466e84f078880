"""What ``stage`` leaves for the trigger of its DAG: when it began, and the warehouse's fingerprint before its pull."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wolkvox.errors import WolkvoxError
from wolkvox.ledger.connection import Connection, now_of
from wolkvox.ledger.watch import Began, begin_stage, end_stage
from wolkvox.rules.options import RunOptions
from wolkvox.rules.schedule import Schedule
from wolkvox.rules.wake import Fingerprint

LONG_AGO = timedelta(hours=1)  # that a window ended, whose run is not about what comes in now

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """
    What begins the DAG's runs, and how the warehouse is asked for the window's fingerprint.

    ``fingerprint`` is None where nothing is pulled: the contacts are handed over.
    """

    schedule: Schedule = field(default_factory=Schedule)
    fingerprint: Callable[[], Fingerprint] | None = None


@dataclass(frozen=True, slots=True)
class Staging:
    """
    A stage under way.

    ``poll_age``: seconds since the trigger's last poll that worked; None: no trigger, or none yet.
    """

    dag_id: str
    is_usual: bool
    began: Began
    fingerprint: Fingerprint | None
    poll_age: float | None

    @property
    def is_first_of_hour(self) -> bool:
        """Whether it is time for what is done once an hour."""
        return self.is_usual and self.began.is_first_of_hour

    def end(self, ledger: Connection, *, fruitful: bool) -> None:
        """Note the fingerprint: call it when what was pulled is in the ledger."""
        if self.is_usual:
            end_stage(ledger, self.dag_id, self.began.at, self.fingerprint, fruitful=fruitful)


def begin(ledger: Connection, dag_id: str, watched: Watched, options: RunOptions, end: datetime) -> Staging:
    """
    Note that a stage begins, and take the fingerprint: call it before the pull.

    A run that pulls another window than the usual one, or one customer, answers no event of the trigger. Neither does
    one whose window is of long ago, as a backfill's is: polls would count all rows since then.

    :param end: of the window
    """
    usual = options.is_usual and now_of(ledger) - end < LONG_AGO
    began = begin_stage(ledger, dag_id, watched.schedule, usual=usual)
    has_trigger = watched.schedule.wake is not None
    taken = _take(watched.fingerprint, began.at) if has_trigger and usual else None
    return Staging(dag_id, usual, began, taken, began.poll_age if has_trigger else None)


def _take(fingerprint: Callable[[], Fingerprint] | None, now: datetime) -> Fingerprint | None:
    """Return the fingerprint of the window; of no rows where there is no warehouse, None where it can't be counted."""
    try:
        return fingerprint() if fingerprint else Fingerprint(now, 0, None)
    except WolkvoxError as error:
        log.warning("Until the next run, only the cron begins runs for new contacts. %s", error)
        return None
