"""Checks once an hour whether the warehouse has contacts of after now: a mistake of zones that no window shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from wolkvox.errors import WolkvoxError
from wolkvox.ledger.alerts import known_alerts
from wolkvox.ledger.connection import Connection, now_of
from wolkvox.rules.runs import Run
from wolkvox.rules.zones import why_in_future

ZONE_ALERT = "zone"

log = logging.getLogger(__name__)

FutureContact = Callable[[datetime], datetime | None]  # asked with now: the time of a contact that is yet to come


def future_contact(ledger: Connection, run: Run, ask: FutureContact, zone: str, *, due: bool) -> str | None:
    """
    Return the time of a contact in the warehouse that is after now, in ISO 8601; None: there is none, or nobody asked.

    While the alert of it fires, each run asks: it would resolve between two hours otherwise.

    :param zone: in which the warehouse's timestamps are read
    :param due: whether it is time to ask without an alert
    """
    alert = known_alerts(ledger, run.operation, run.dag_id).get(ZONE_ALERT)
    if not due and (alert is None or alert.resolved_at is not None):
        return None
    now = now_of(ledger)
    try:
        contacted_at = ask(now)
    except WolkvoxError as error:
        log.warning("The warehouse was not asked for contacts of after now. %s", error)
        return None
    if contacted_at is None:
        return None
    log.warning("%s", why_in_future(contacted_at, now, zone))
    return contacted_at.isoformat(timespec="seconds")
