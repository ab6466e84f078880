"""What ``stage`` tells the trigger of its DAG: that it has begun, and what the warehouse held just before its pull."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from wolkvox.errors import WolkvoxError
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.watch import Began, begin_stage, end_stage
from wolkvox.rules.options import RunOptions
from wolkvox.rules.schedule import Schedule
from wolkvox.rules.wake import Fingerprint

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """What begins the DAG's runs, and how the warehouse is asked for the window's fingerprint (None: it isn't)."""

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

    def end(self, ledger: Connection, *, fruitful: bool) -> None:
        """Note the fingerprint: call it when what was pulled is in the ledger."""
        if self.is_usual:
            end_stage(ledger, self.dag_id, self.began.at, self.fingerprint, fruitful=fruitful)


def begin(ledger: Connection, dag_id: str, watched: Watched, options: RunOptions) -> Staging:
    """
    Note that a stage begins, and take the fingerprint: call it before the pull.

    A run that pulls another window than the usual one, or one customer, answers no event of the trigger.
    """
    began = begin_stage(ledger, dag_id, watched.schedule, usual=options.is_usual)
    has_trigger = watched.schedule.wake is not None
    taken = _take(watched.fingerprint) if has_trigger and options.is_usual and watched.fingerprint else None
    return Staging(dag_id, options.is_usual, began, taken, began.poll_age if has_trigger else None)


def _take(fingerprint: Callable[[], Fingerprint]) -> Fingerprint | None:
    try:
        return fingerprint()
    except WolkvoxError as error:
        log.warning("Until the next run, new contacts are found by the cron alone. %s", error)
        return None
