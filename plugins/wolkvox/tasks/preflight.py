"""What a run asks wolkvox before it sends anything: the requests left today, its codes, its campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wolkvox.ledger.activity_codes import keep_codes, kept_codes
from wolkvox.ledger.campaigns import keep_campaigns, note_sync, sync_is_due
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.leases import sweep
from wolkvox.ledger.quota import QuotaState, align
from wolkvox.ledger.reports import anything_waits
from wolkvox.ledger.token_limits import note_limit, other_limits
from wolkvox.rules.campaigns import read_campaigns
from wolkvox.rules.token_limits import TokenLimit, refuse_disagreement
from wolkvox.tasks.permits import VendorClient
from wolkvox.tasks.task import Wolkvox
from wolkvox.vendor.settings import Settings


def requests_left(client: VendorClient, wolkvox: Wolkvox) -> QuotaState:
    """
    Return today's requests, as the ledger and, unless ``preflight`` is off, the vendor count them.

    Costs one request; none when nothing waits to be sent, or when the day is used up. If the vendor says that it is,
    that holds for an hour: licences are bought, and its day may begin at another hour than ours.

    :raises BadToken: the run can't succeed
    """
    ledger, quota = client.ledger, client.quota
    sweep(ledger, client.slots)
    state = align(ledger, quota)
    used_up = state.left == 0 and not state.doubtful
    if not wolkvox.settings.preflight or used_up or not anything_waits(ledger, client.slots.operation):
        return state
    info = client.ask(wolkvox.token_info, over_limit=int(state.doubtful))
    return align(ledger, quota, None if info is None else info.left)


def disposition_codes(client: VendorClient, wolkvox: Wolkvox) -> frozenset[str] | None:
    """
    Return the operation's disposition codes; None when they are not to be checked, or wolkvox gives none.

    One request a day, and one an hour where a contact waits whose code isn't among them: codes are added at any hour,
    and a contact that is taken for invalid is dialled.

    :raises BadToken: the run can't succeed
    """
    if not wolkvox.settings.check_codes:
        return None
    kept = kept_codes(client.ledger, client.quota.account, client.slots.operation)
    if kept is not None:
        return kept
    codes = client.ask(wolkvox.activity_codes)
    if not codes:
        return None
    keep_codes(client.ledger, client.quota.account, codes)
    return codes


def look_at_campaigns(client: VendorClient, wolkvox: Wolkvox, *, by_hand: bool) -> None:
    """
    Suspend the campaigns that wolkvox doesn't have, or has as another type, before anything of them is sent.

    At most one request an hour, and only when something waits. A list that can't be read suspends none.

    :raises BadToken: the run can't succeed
    """
    ledger, operation = client.ledger, client.slots.operation
    if not wolkvox.settings.preflight or not anything_waits(ledger, operation):
        return
    if not sync_is_due(ledger, operation, by_hand=by_hand):
        return
    looks: list[datetime] = []

    def ask() -> list[dict[str, Any]]:
        looks.append(note_sync(ledger, operation))  # whatever it says: once an hour
        return wolkvox.campaigns()

    listed = read_campaigns(client.ask(ask) or [])
    if listed:
        keep_campaigns(ledger, operation, listed, looks[0])


def agree_on_limit(ledger: Connection, dag_id: str, settings: Settings) -> None:
    """
    Refuse to share a token's requests with a connection that says otherwise how many there are.

    The ledger has what each DAG's connection said at its last run. This one is noted first, so that correcting either
    of the two is enough.

    :raises BadSetting: naming both connections and what each of them says
    """
    limit = token_limit(dag_id, settings)
    note_limit(ledger, settings.fingerprint, limit)
    refuse_disagreement(limit, other_limits(ledger, settings.fingerprint, limit))


def token_limit(dag_id: str, settings: Settings) -> TokenLimit:
    """Return the limit that a DAG's connection gives its token."""
    daily, reserve, zone = settings.daily_requests, settings.quota_reserve, settings.quota_timezone
    return TokenLimit(dag_id, settings.conn_id, daily, reserve, zone)
