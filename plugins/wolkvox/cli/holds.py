"""``python -m wolkvox holds``: what a guard holds, and why."""

from __future__ import annotations

from argparse import Namespace

from wolkvox.ledger.connection import connected
from wolkvox.ledger.holds import open_holds
from wolkvox.rules.guard import sentence


def run(arguments: Namespace) -> int:
    """Print each hold that is not decided in a line, and its reasons below it; returns 0."""
    with connected(arguments.ledger_conn_id, writing=False) as ledger:
        holds = open_holds(ledger)
    if not holds:
        print("Nothing is held.")
    for hold in holds:
        print(f"Hold {hold.id}: {hold.records:,} records of {hold.operation} since {hold.held_at:%Y-%m-%d %H:%M} UTC")
        for reason in hold.why:
            print(f"     {sentence(reason)}")
    return 0
