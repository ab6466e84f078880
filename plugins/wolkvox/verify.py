"""``python -m wolkvox verify``: whether the ledger is what the seals of its days say."""

from __future__ import annotations

from wolkvox.ledger.connection import connected
from wolkvox.ledger.seals import broken, operations, seals
from wolkvox.secret import SECRET, known_secret


def verify(ledger_conn_id: str) -> int:
    """Compare the ledger with its seals and print what was found; 1 when anything isn't as it was."""
    secret, wrong = known_secret(), 0
    with connected(ledger_conn_id, writing=False) as ledger:
        for operation in operations(ledger):
            known = seals(ledger, operation)
            if not known:
                print(f"ok   {operation}: nothing is sealed yet")
                continue
            if secret is None:
                print(f"FAIL {operation}: its seals can't be compared without the Airflow variable {SECRET!r}")
                wrong += 1
                continue
            found = list(broken(ledger, operation, secret))
            days = f"{len(known)} days, {known[0].day} to {known[-1].day}, last digest {known[-1].digest.hex()}"
            print(f"{'FAIL' if found else 'ok  '} {operation}: {days}")
            for sentence in found:
                print(f"     {sentence}")
            wrong += bool(found)
    return min(wrong, 1)
