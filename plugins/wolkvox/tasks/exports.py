"""A campaign's export, asked for in a slot and counted, and what it settles before anything is sent."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import timedelta
from time import monotonic

from wolkvox.errors import NoFreeSlot, WolkvoxError
from wolkvox.ledger import exports
from wolkvox.ledger.connection import clock
from wolkvox.ledger.recent import recent_contacts
from wolkvox.rules.exports import Head, why_unfit
from wolkvox.rules.runs import Run
from wolkvox.tasks.asking import Asking
from wolkvox.tasks.dials import Dials
from wolkvox.tasks.task import Wolkvox

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
    campaigns = exports.campaigns_to_ask_for(ledger, run.operation, fewest)
    found: Counter[str] = Counter()
    with recent_contacts(ledger, run.operation, since) if campaigns else nullcontext(since) as loaded_at:
        dials = Dials(ledger, wolkvox.settings, since, loaded_at)
        for campaign in campaigns:
            if asking.stop.is_set() or monotonic() > until:
                break
            try:
                with loaded_export(asking, wolkvox, campaign[1]) as fit:
                    if fit:
                        dials.note(campaign, clock(ledger))
                        settled = exports.settle(ledger, run, campaign, skip_handled=wolkvox.settings.skip_handled)
                        found.update(asdict(settled))
            except NoFreeSlot:
                log.info("Both slots of the token are taken: no more exports are asked for in this run.")
                break
        dials.end()
    return exports.Settled(**found)


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
