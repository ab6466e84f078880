"""``python -m wolkvox release``: a person lets what a guard holds be sent."""

from __future__ import annotations

from argparse import Namespace

from wolkvox.ledger.connection import connected
from wolkvox.ledger.holds import release


def run(arguments: Namespace) -> int:
    """
    Release a hold and print how many records wait now; returns 0.

    :raises BadSetting: there is no such hold, it is decided, or nobody is named
    """
    with connected(arguments.ledger_conn_id) as ledger:
        records = release(ledger, arguments.hold, arguments.by, arguments.note)
    print(f"Hold {arguments.hold}: {records:,} records wait to be sent.")
    return 0
