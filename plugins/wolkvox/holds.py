"""``python -m wolkvox holds | release | discard``: what a guard holds, and a person's decision on it."""

from __future__ import annotations

from wolkvox.ledger.connection import connected
from wolkvox.ledger.holds import discard, open_holds, release
from wolkvox.rules.guard import sentence


def show(ledger_conn_id: str) -> int:
    """Print what is held, a hold a line and its reasons below it; returns 0."""
    with connected(ledger_conn_id, writing=False) as ledger:
        holds = open_holds(ledger)
    if not holds:
        print("Nothing is held.")
    for hold in holds:
        print(f"Hold {hold.id}: {hold.records:,} records of {hold.operation} since {hold.held_at:%Y-%m-%d %H:%M} UTC")
        for reason in hold.why:
            print(f"     {sentence(reason)}")
    return 0


def decide(ledger_conn_id: str, decision: str, hold: int, by: str, note: str) -> int:
    """Release or discard a hold and print how many records that were; returns 0.

    :param decision: "release" or "discard"
    :raises BadSetting: there is no such hold, or it is decided, or nobody is named
    """
    with connected(ledger_conn_id) as ledger:
        if decision == "release":
            print(f"{release(ledger, hold, by, note):,} records wait to be sent.")
        else:
            print(f"{discard(ledger, hold, by, note):,} records are discarded: they are never sent.")
    return 0
