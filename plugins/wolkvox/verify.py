"""``python -m wolkvox verify``: whether the ledger is what the digests of its days say."""

from __future__ import annotations

from wolkvox.ledger.connection import connected
from wolkvox.ledger.digests import Verified, operations, verify_digests
from wolkvox.ledger.secret_check import fits, is_needed
from wolkvox.secret import SECRET, known_secret


def verify(ledger_conn_id: str) -> int:
    """Compare the ledger with its digests and print what was found; 1 when anything isn't as it was."""
    secret, wrong = known_secret(), 0
    with connected(ledger_conn_id, writing=False) as ledger:
        if not fits(ledger, secret) if secret else is_needed(ledger):
            what = "holds another secret than the one that made the digests" if secret else "is missing"
            print(f"FAIL the Airflow variable {SECRET!r} {what}: nothing can be compared. Put the old one back.")
            return 1
        for operation in operations(ledger):
            found = verify_digests(ledger, operation, secret or "")
            print(f"{'FAIL' if found.findings else 'ok  '} {operation}: {_described(found)}")
            for sentence in found.findings:
                print(f"     {sentence}")
            wrong += bool(found.findings)
    return min(wrong, 1)


def _described(found: Verified) -> str:
    """Which days there are, how many of them were compared, and why the others were not."""
    if not found.digests:
        return "nothing is digested yet"
    first, last = found.digests[0], found.digests[-1]
    days = (
        f"{len(found.digests)} days, {first.day} to {last.day}, {found.compared} of them compared with their contacts"
    )
    if found.deleted:
        days += f"; {found.deleted} not, as retention deletes what was settled before {last.deleted_before:%Y-%m-%d}"
    if found.early:
        days += f"; {found.early} not, as a clock that was ahead digested them: the next night takes them back"
    return f"{days}; last digest {last.digest.hex()}"
