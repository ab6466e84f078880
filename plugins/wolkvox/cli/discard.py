"""``python -m wolkvox discard``: a person keeps what a guard holds from ever being sent."""

from __future__ import annotations

from argparse import Namespace

from wolkvox.ledger.connection import connected
from wolkvox.ledger.holds import discard


def run(arguments: Namespace) -> int:
    """
    Discard a hold and print how many records that are; returns 0.

    :raises BadSetting: there is no such hold, it is decided, or nobody is named
    """
    with connected(arguments.ledger_conn_id) as ledger:
        records = discard(ledger, arguments.hold, arguments.by, arguments.note)
    print(f"Hold {arguments.hold}: {records:,} records are discarded, they are never sent.")
    return 0
