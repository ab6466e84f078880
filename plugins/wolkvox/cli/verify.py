"""``python -m wolkvox verify``: whether the ledger is what the digests of its days say."""

from __future__ import annotations

import os
from argparse import Namespace

from wolkvox.ledger.connection import connected
from wolkvox.ledger.digests import Verified, operations, verify_digests
from wolkvox.ledger.secret import SECRET, known_secret
from wolkvox.ledger.secret_check import fits, is_needed


def run(arguments: Namespace) -> int:
    """Compare the ledger with its digests and print the findings; 1 when anything isn't as it was."""
    # As Airflow's own programs do: else the variable is not read from Airflow's database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    return verify(arguments.ledger_conn_id)


def verify(ledger_conn_id: str) -> int:
    """``run`` with the environment as it is."""
    secret, wrong = known_secret(), 0
    with connected(ledger_conn_id, writing=False) as ledger:
        if not fits(ledger, secret) if secret else is_needed(ledger):
            fault = "holds another secret than the one that made the digests" if secret else "is missing"
            print(f"FAIL the Airflow variable {SECRET!r} {fault}: nothing can be compared. Put the old one back.")
            return 1
        for operation in operations(ledger):
            verified = verify_digests(ledger, operation, secret or "")
            print(f"{'FAIL' if verified.findings else 'ok  '} {operation}: {_described(verified)}")
            for sentence in verified.findings:
                print(f"     {sentence}")
            wrong += bool(verified.findings)
    return min(wrong, 1)


def _described(verified: Verified) -> str:
    """Which days there are, how many of them were compared, and why the others were not."""
    if not verified.digests:
        return "nothing is digested yet"
    first, last = verified.digests[0], verified.digests[-1]
    days = (
        f"{len(verified.digests)} days, {first.day} to {last.day}, {verified.compared} of them compared with their"
        " contacts"
    )
    if verified.deleted:
        deleted_before = f"{last.deleted_before:%Y-%m-%d}"
        days += f"; {verified.deleted} not, as retention deletes what was settled before {deleted_before}"
    if verified.early:
        days += f"; {verified.early} not, as a clock that was ahead digested them: the next night takes them back"
    return f"{days}; last digest {last.digest.hex()}"
