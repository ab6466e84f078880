"""A campaign's export, asked for in a slot and counted, and what it settles before anything is sent."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from time import monotonic

from wolkvox.errors import NoFreeSlot, WolkvoxError
from wolkvox.ledger import exports
from wolkvox.ledger.connection import Connection, clock
from wolkvox.ledger.worth import note_dials
from wolkvox.rules.exports import Head, why_unfit
from wolkvox.rules.records import Campaign
from wolkvox.rules.runs import Run
from wolkvox.tasks.asking import Asking
from wolkvox.tasks.task import Wolkvox
from wolkvox.vendor.settings import Settings

LOOK_BACK = timedelta(days=31)  # of contacts whose dials are noted
SHARE = 0.5  # of a run's time that exports may take

log = logging.getLogger(__name__)


def settle_by_exports(asking: Asking, wolkvox: Wolkvox, run: Run, seconds: float) -> exports.Settled:
    """
    Settle waiting contacts by what wolkvox already has, campaign by campaign, before anything of them is sent.

    An export that can't be relied on changes nothing.

    :param seconds: how long the run may send
    """
    fewest = wolkvox.settings.export_from
    if fewest is None:
        return exports.Settled()
    ledger = asking.ledger
    until, since = monotonic() + seconds * SHARE, clock(ledger) - LOOK_BACK
    found: Counter[str] = Counter()
    for campaign in exports.campaigns_to_ask_for(ledger, run.operation, fewest):
        if asking.stop.is_set() or monotonic() > until:
            break
        try:
            with loaded_export(asking, wolkvox, campaign[1]) as fit:
                if fit:
                    noted_dials(ledger, wolkvox.settings, campaign, since)
                    settled = exports.settle(ledger, run, campaign, skip_handled=wolkvox.settings.skip_handled)
                    found.update(asdict(settled))
        except NoFreeSlot:
            log.info("Both slots of the token are taken: no more exports are asked for in this run.")
            break
    return exports.Settled(**found)


def noted_dials(ledger: Connection, settings: Settings, campaign: Campaign, since: datetime) -> bool:
    """Note the dials that a loaded export shows of contacts since then; False, and a warning, when they are none."""
    if note_dials(ledger, settings.operation, campaign, since, moves_date=settings.moves_date):
        return True
    log.warning(
        "The dates in the export of campaign %s are those of our own calls, so they tell nothing of dials: set"
        " export_date of connection %r to change.",
        campaign[1],
        settings.conn_id,
    )
    return False


@contextmanager
def loaded_export(asking: Asking, wolkvox: Wolkvox, campaign_id: str) -> Iterator[bool]:
    """
    A campaign's export, in the session's own table for as long as it is looked at.

    Whether it may be relied on; when not, the log says why.
    """
    head = Head()
    try:
        why = _ask(asking, wolkvox, campaign_id, head) or why_unfit(head, campaign_id)
        if why:
            log.warning("The export of campaign %s is left aside: %s.", campaign_id, why.rstrip("."))
        yield why is None
    finally:
        exports.forget(asking.ledger)


def _ask(asking: Asking, wolkvox: Wolkvox, campaign_id: str, head: Head) -> str | None:
    """Load the export; why there is none."""
    with asking.turn() as turn:
        if not turn.granted:
            return "no requests are left today"
        exports.note_export(asking.ledger, asking.slots.operation, campaign_id)
        try:
            with wolkvox.export(campaign_id, head) as exported:
                exports.load(asking.ledger, exported)
        except WolkvoxError as error:
            asking.heed(turn, error)
            return str(error)
    return None
