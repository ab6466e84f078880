"""What wolkvox itself says before a run sends anything: the calls left today, its codes, its campaigns."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from wolkvox.errors import BadToken, QuotaUsedUp, WolkvoxError
from wolkvox.ledger.campaigns import keep_campaigns, look_is_due, note_look
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.quota import QuotaRules, QuotaState, align, exhaust, give_back, reserve
from wolkvox.ledger.reports import anything_waits
from wolkvox.ledger.slots import Holder, SlotRules, slot_for_calls, sweep
from wolkvox.rules.campaigns import read_campaigns
from wolkvox.stop import Stop
from wolkvox.tasks.task import Wolkvox

CODES_LAST = timedelta(hours=24)  # how long a list of disposition codes is believed

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def calls_left(
    connection: Connection,
    wolkvox: Wolkvox,
    slots: SlotRules,
    quota: QuotaRules,
    holder: Holder,
    stop: Stop,
) -> QuotaState:
    """
    Today's calls, as the ledger and, unless ``preflight`` is off, the vendor count them.

    Costs one call; none when nothing waits to be sent, or when the day is used up. The vendor's word that it is, is
    believed for an hour: licences are bought, and its day may begin at another hour than ours.

    :raises BadToken: the run can't succeed
    """
    sweep(connection, slots)
    state = align(connection, quota)
    used_up = state.left == 0 and not state.doubtful
    if not wolkvox.settings.preflight or used_up or not anything_waits(connection, slots.operation):
        return state
    info = _ask(connection, slots, quota, holder, stop, wolkvox.token_info, beyond=int(state.doubtful))
    return align(connection, quota, None if info is None else info.left)


def disposition_codes(
    connection: Connection,
    wolkvox: Wolkvox,
    slots: SlotRules,
    quota: QuotaRules,
    holder: Holder,
    stop: Stop,
) -> frozenset[str] | None:
    """
    The operation's disposition codes, asked for at most once a day; None when they are not to be checked.

    :raises BadToken: the run can't succeed
    """
    if not wolkvox.settings.check_codes:
        return None
    row = connection.execute(
        "SELECT codes FROM wolkvox.activity_codes WHERE operation = %s AND fetched_at > now() - %s",
        (quota.account, CODES_LAST),
    ).fetchone()
    if row is not None:
        return frozenset(row[0])
    codes = _ask(connection, slots, quota, holder, stop, wolkvox.activity_codes)
    if not codes:
        return None
    connection.execute(
        "INSERT INTO wolkvox.activity_codes (operation, codes, fetched_at) VALUES (%s, %s, now())"
        " ON CONFLICT (operation) DO UPDATE SET codes = excluded.codes, fetched_at = excluded.fetched_at",
        (quota.account, sorted(codes)),
    )
    return codes


def look_at_campaigns(
    connection: Connection,
    wolkvox: Wolkvox,
    slots: SlotRules,
    quota: QuotaRules,
    holder: Holder,
    stop: Stop,
    *,
    by_hand: bool,
) -> None:
    """
    Park the campaigns that wolkvox doesn't have, or has as another type, before anything of them is sent.

    Asked for at most once an hour, and only when something waits. What can't be read parks nobody.

    :raises BadToken: the run can't succeed
    """
    operation = slots.operation
    if not wolkvox.settings.preflight or not anything_waits(connection, operation):
        return
    if not look_is_due(connection, operation, by_hand=by_hand):
        return
    note_look(connection, operation)
    listed = read_campaigns(_ask(connection, slots, quota, holder, stop, wolkvox.campaigns) or [])
    if listed:
        keep_campaigns(connection, operation, listed)


def _ask(
    connection: Connection,
    slots: SlotRules,
    quota: QuotaRules,
    holder: Holder,
    stop: Stop,
    call: Callable[[], Result],
    beyond: int = 0,
) -> Result | None:
    """
    Make one call in a slot of the token, counted.

    None when wolkvox doesn't tell, which stops nothing: a wrong address shows with the first record.
    """
    with slot_for_calls(connection, slots, holder, stop):
        block = reserve(connection, quota, 1, name=uuid4(), beyond=beyond)
        if block.calls == 0:
            return None
        try:
            return call()
        except BadToken:
            raise
        except WolkvoxError as error:
            if isinstance(error, QuotaUsedUp):
                exhaust(connection, quota)
            log.warning("%s The run goes on without it.", error)
            return None
        finally:
            give_back(connection, quota, block, 0)
