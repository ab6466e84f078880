"""A campaign's export, asked for in a slot and counted, and what it settles before anything is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from time import monotonic

from wolkvox.errors import NoFreeSlot, WolkvoxError
from wolkvox.ledger import exports
from wolkvox.ledger.connection import now_of
from wolkvox.ledger.recent import recent_contacts
from wolkvox.rules.exports import ExportHeader, strangers_are_known, why_contradicted, why_unfit
from wolkvox.rules.runs import Run
from wolkvox.tasks.dials import Dials
from wolkvox.tasks.permits import VendorClient
from wolkvox.tasks.task import Wolkvox

# Of contacts whose dials are noted: an export shows the last dial alone, and by night another one may hide it. Those of
# older contacts are left to the audit.
LOOK_BACK = timedelta(days=3)
SHARE = 0.5  # of a run's time that exports may take

log = logging.getLogger(__name__)


def settle_by_exports(client: VendorClient, wolkvox: Wolkvox, run: Run, seconds: float) -> exports.SettledByExports:
    """
    Settle waiting contacts by what wolkvox already has, campaign by campaign, before anything of them is sent.

    An export that can't be relied on changes nothing. One is asked for at most every five minutes.

    :param seconds: how long the run may send
    """
    settled, fewest = exports.SettledByExports(), wolkvox.settings.export_from
    if fewest is None:
        return settled
    ledger, until = client.ledger, monotonic() + seconds * SHARE
    since = now_of(ledger) - LOOK_BACK
    campaigns = [
        (campaign_id, types)
        for campaign_id, types in exports.campaigns_to_ask_for(ledger, run.operation, fewest)
        if exports.seconds_until_due(ledger, run.operation, campaign_id) == 0
    ]
    with recent_contacts(ledger, run.operation, since) if campaigns else nullcontext(since) as loaded_at:
        dials = Dials(ledger, wolkvox.settings, since, loaded_at)
        for campaign_id, types in campaigns:
            if client.stop.is_set() or monotonic() > until:
                break
            begun = now_of(ledger)
            try:
                with received_export(client, wolkvox, campaign_id) as head:
                    if head is not None:
                        settled.add(_settle(dials, run, campaign_id, types, head, begun))
            except NoFreeSlot:
                log.info("Both slots of the token are taken: no more exports are asked for in this run.")
                break
        dials.end()
    return settled


def _settle(
    dials: Dials, run: Run, campaign_id: str, types: Sequence[str], head: ExportHeader, begun: datetime
) -> exports.SettledByExports:
    """
    Settle by the export that is loaded, in each type that contacts give its campaign; note why it can't be.

    :param begun: when it was asked for
    """
    ledger, skip_handled, settled = dials.ledger, dials.settings.skip_handled, exports.SettledByExports()
    campaigns = [(kind, campaign_id) for kind in types]
    # Each record without a readable id may be that of a waiting contact, or a second one of it.
    why = why_unfit(head, campaign_id, most_unreadable=0.0)
    compared = {} if why else {one: exports.compare(ledger, run.operation, one) for one in campaigns}
    # Of all types before any is settled: what is an old copy for one of them is one for the others.
    why = why or next(filter(None, map(why_contradicted, compared.values())), None)
    exports.note_finding(ledger, run.operation, campaign_id, why)
    if why:
        _leave_aside(campaign_id, why)
        return settled
    for campaign, result in compared.items():
        dials.note(campaign, begun)
        if result.strangers and not strangers_are_known(result):
            log.info("The export of campaign %s has none of the contacts that wait: they are sent.", campaign_id)
        settled.add(exports.settle(ledger, run, campaign, result, skip_handled=skip_handled))
    return settled


@contextmanager
def loaded_export(client: VendorClient, wolkvox: Wolkvox, campaign_id: str) -> Iterator[ExportHeader | None]:
    """
    Hold a campaign's export in the session's own table, and give its header.

    None where it can't be relied on even for the customers that are in it: the log says why.
    """
    with received_export(client, wolkvox, campaign_id) as head:
        why = None if head is None else why_unfit(head, campaign_id)
        if why:
            _leave_aside(campaign_id, why)
        yield None if why else head


@contextmanager
def received_export(client: VendorClient, wolkvox: Wolkvox, campaign_id: str) -> Iterator[ExportHeader | None]:
    """
    Hold a campaign's export in the session's own table, not judged yet, and give its header.

    None when there is none: the log says why.
    """
    head = ExportHeader()
    try:
        why = _ask(client, wolkvox, campaign_id, head)
        if why:
            _leave_aside(campaign_id, why)
        yield None if why else head
    finally:
        exports.forget(client.ledger)


def _leave_aside(campaign_id: str, why: str) -> None:
    log.warning("The export of campaign %s is left aside: %s.", campaign_id, why.rstrip("."))


def _ask(client: VendorClient, wolkvox: Wolkvox, campaign_id: str, head: ExportHeader) -> str | None:
    """Load the export; return why there is none."""
    with client.permit() as permit:
        if not permit.granted:
            return "no requests are left today"
        exports.note_export(client.ledger, client.slots.operation, campaign_id)
        try:
            with wolkvox.export(campaign_id, head) as exported:
                exports.load(client.ledger, exported)
        except WolkvoxError as error:
            client.heed(permit, error)
            return str(error)
    return None
