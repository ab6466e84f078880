"""What wolkvox itself says before a run sends anything: the requests left today, its codes, its campaigns."""

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


def requests_left(asking: VendorClient, wolkvox: Wolkvox) -> QuotaState:
    """
    Today's requests, as the ledger and, unless ``preflight`` is off, the vendor count them.

    Costs one request; none when nothing waits to be sent, or when the day is used up. The vendor's word that it is, is
    believed for an hour: licences are bought, and its day may begin at another hour than ours.

    :raises BadToken: the run can't succeed
    """
    ledger, quota = asking.ledger, asking.quota
    sweep(ledger, asking.slots)
    state = align(ledger, quota)
    used_up = state.left == 0 and not state.doubtful
    if not wolkvox.settings.preflight or used_up or not anything_waits(ledger, asking.slots.operation):
        return state
    info = asking.ask(wolkvox.token_info, beyond=int(state.doubtful))
    return align(ledger, quota, None if info is None else info.left)


def disposition_codes(asking: VendorClient, wolkvox: Wolkvox) -> frozenset[str] | None:
    """
    The operation's disposition codes; None when they are not to be checked, or not known.

    Asked for once a day, and once an hour where a contact waits whose code isn't among them: codes are added at any
    hour, and a contact that is taken for invalid is dialled.

    :raises BadToken: the run can't succeed
    """
    if not wolkvox.settings.check_codes:
        return None
    kept = kept_codes(asking.ledger, asking.quota.account, asking.slots.operation)
    if kept is not None:
        return kept
    codes = asking.ask(wolkvox.activity_codes)
    if not codes:
        return None
    keep_codes(asking.ledger, asking.quota.account, codes)
    return codes


def look_at_campaigns(asking: VendorClient, wolkvox: Wolkvox, *, by_hand: bool) -> None:
    """
    Suspend the campaigns that wolkvox doesn't have, or has as another type, before anything of them is sent.

    Asked for at most once an hour, and only when something waits. A list that can't be read suspends none.

    :raises BadToken: the run can't succeed
    """
    ledger, operation = asking.ledger, asking.slots.operation
    if not wolkvox.settings.preflight or not anything_waits(ledger, operation):
        return
    if not sync_is_due(ledger, operation, by_hand=by_hand):
        return
    looks: list[datetime] = []

    def ask() -> list[dict[str, Any]]:
        looks.append(note_sync(ledger, operation))  # whatever it says: once an hour
        return wolkvox.campaigns()

    listed = read_campaigns(asking.ask(ask) or [])
    if listed:
        keep_campaigns(ledger, operation, listed, looks[0])


def agree_on_limit(ledger: Connection, dag_id: str, settings: Settings) -> None:
    """
    Refuse to share a token's requests with a connection that says otherwise how many there are.

    What each DAG's connection says is known from its last run. It is noted first, so that correcting either of the two
    is enough.

    :raises BadSetting: naming both connections and what each of them says
    """
    limit = token_limit(dag_id, settings)
    note_limit(ledger, settings.fingerprint, limit)
    refuse_disagreement(limit, other_limits(ledger, settings.fingerprint, limit))


def token_limit(dag_id: str, settings: Settings) -> TokenLimit:
    """What a DAG's connection says of its token's requests."""
    daily, reserve, zone = settings.daily_requests, settings.quota_reserve, settings.quota_timezone
    return TokenLimit(dag_id, settings.conn_id, daily, reserve, zone)
