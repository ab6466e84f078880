"""A campaign's export, asked for in a slot and counted, and what it settles before anything is sent."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import uuid4

from wolkvox.errors import QuotaUsedUp, WolkvoxError
from wolkvox.ledger import exports
from wolkvox.ledger.connection import Connection, clock
from wolkvox.ledger.quota import QuotaRules, exhaust, give_back, reserve
from wolkvox.ledger.slots import Holder, SlotRules, slot_for_calls
from wolkvox.ledger.staging import Run
from wolkvox.ledger.worth import note_dials
from wolkvox.rules.exports import Head, why_unfit
from wolkvox.rules.records import Campaign
from wolkvox.stop import Stop
from wolkvox.tasks.task import Wolkvox
from wolkvox.vendor.settings import Settings

LOOK_BACK = timedelta(days=31)  # of contacts whose dials are noted
SHARE = 0.5  # of a run's time that exports may take

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """By whom, through which slots and on whose account wolkvox is asked."""

    slots: SlotRules
    quota: QuotaRules
    holder: Holder
    stop: Stop


def settle_by_exports(
    ledger: Connection, wolkvox: Wolkvox, asking: Asking, run: Run, seconds: float
) -> exports.Settled:
    """
    Settle waiting contacts by what wolkvox already has, campaign by campaign, before anything of them is sent.

    An export that can't be relied on changes nothing.

    :param seconds: how long the run may send
    """
    fewest = wolkvox.settings.export_from
    if fewest is None:
        return exports.Settled()
    until, since = monotonic() + seconds * SHARE, clock(ledger) - LOOK_BACK
    found: Counter[str] = Counter()
    for campaign in exports.campaigns_to_ask_for(ledger, run.operation, fewest):
        if asking.stop.is_set() or monotonic() > until:
            break
        with loaded_export(ledger, wolkvox, asking, run.operation, campaign[1]) as fit:
            if fit:
                noted_dials(ledger, wolkvox.settings, campaign, since)
                settled = exports.settle(ledger, run, campaign, skip_handled=wolkvox.settings.skip_handled)
                found.update(asdict(settled))
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
def loaded_export(
    ledger: Connection, wolkvox: Wolkvox, asking: Asking, operation: str, campaign_id: str
) -> Iterator[bool]:
    """
    A campaign's export, in the session's own table for as long as it is looked at.

    Whether it may be relied on; when not, the log says why.
    """
    exports.note_export(ledger, operation, campaign_id)
    head = Head()
    try:
        why = _ask(ledger, wolkvox, asking, campaign_id, head) or why_unfit(head, campaign_id)
        if why:
            log.warning("The export of campaign %s is left aside: %s.", campaign_id, why.rstrip("."))
        yield why is None
    finally:
        exports.forget(ledger)


def _ask(ledger: Connection, wolkvox: Wolkvox, asking: Asking, campaign_id: str, head: Head) -> str | None:
    """Load the export; why there is none."""
    with slot_for_calls(ledger, asking.slots, asking.holder, asking.stop):
        block = reserve(ledger, asking.quota, 1, name=uuid4())
        if block.calls == 0:
            return "no calls are left today"
        try:
            with wolkvox.export(campaign_id, head) as exported:
                exports.load(ledger, exported)
        except QuotaUsedUp as error:
            exhaust(ledger, asking.quota)
            return str(error)
        except WolkvoxError as error:
            return str(error)
        finally:
            give_back(ledger, asking.quota, block, 0)
    return None
