"""``python -m wolkvox migrate``: create or upgrade the ledger's tables, or wait until somebody else has."""

from __future__ import annotations

from argparse import Namespace

from wolkvox.ledger.migrate import migrate, wait_until_migrated


def run(arguments: Namespace) -> int:
    """Bring the ledger up to date, or wait for it; 0."""
    ledger_conn_id, wait = arguments.ledger_conn_id, arguments.wait
    migrate(ledger_conn_id) if wait is None else wait_until_migrated(ledger_conn_id, wait)
    print(f"The ledger at connection {ledger_conn_id!r} is up to date.")
    return 0
