"""What wolkvox itself says before a run sends anything: the calls left today, its codes, its campaigns."""

from __future__ import annotations

from datetime import timedelta

from wolkvox.ledger.campaigns import keep_campaigns, look_is_due, note_look
from wolkvox.ledger.quota import QuotaState, align
from wolkvox.ledger.reports import anything_waits
from wolkvox.ledger.slots import sweep
from wolkvox.rules.campaigns import read_campaigns
from wolkvox.tasks.asking import Asking
from wolkvox.tasks.task import Wolkvox

CODES_LAST = timedelta(hours=24)  # how long a list of disposition codes is believed


def calls_left(asking: Asking, wolkvox: Wolkvox) -> QuotaState:
    """
    Today's calls, as the ledger and, unless ``preflight`` is off, the vendor count them.

    Costs one call; none when nothing waits to be sent, or when the day is used up. The vendor's word that it is, is
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


def disposition_codes(asking: Asking, wolkvox: Wolkvox) -> frozenset[str] | None:
    """
    The operation's disposition codes, asked for at most once a day; None when they are not to be checked.

    :raises BadToken: the run can't succeed
    """
    if not wolkvox.settings.check_codes:
        return None
    row = asking.ledger.execute(
        "SELECT codes FROM wolkvox.activity_codes WHERE operation = %s AND fetched_at > now() - %s",
        (asking.quota.account, CODES_LAST),
    ).fetchone()
    if row is not None:
        return frozenset(row[0])
    codes = asking.ask(wolkvox.activity_codes)
    if not codes:
        return None
    asking.ledger.execute(
        "INSERT INTO wolkvox.activity_codes (operation, codes, fetched_at) VALUES (%s, %s, now())"
        " ON CONFLICT (operation) DO UPDATE SET codes = excluded.codes, fetched_at = excluded.fetched_at",
        (asking.quota.account, sorted(codes)),
    )
    return codes


def look_at_campaigns(asking: Asking, wolkvox: Wolkvox, *, by_hand: bool) -> None:
    """
    Park the campaigns that wolkvox doesn't have, or has as another type, before anything of them is sent.

    Asked for at most once an hour, and only when something waits. What can't be read parks nobody.

    :raises BadToken: the run can't succeed
    """
    ledger, operation = asking.ledger, asking.slots.operation
    if not wolkvox.settings.preflight or not anything_waits(ledger, operation):
        return
    if not look_is_due(ledger, operation, by_hand=by_hand):
        return
    note_look(ledger, operation)
    listed = read_campaigns(asking.ask(wolkvox.campaigns) or [])
    if listed:
        keep_campaigns(ledger, operation, listed)
