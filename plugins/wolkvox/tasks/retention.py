"""The task ``retention``: seal what is past changing, make old contacts anonymous, delete the oldest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import connected
from wolkvox.ledger.retention import anonymise, forget, tidy
from wolkvox.ledger.seals import operations, seal
from wolkvox.rules.seals import SEALED_AFTER


def retire(ledger_conn_id: str, secret: str, keep: timedelta, anonymise_after: timedelta | None) -> dict[str, Any]:
    """
    What was done: days that were sealed, contacts that were made anonymous and deleted, each operation's last seal.

    :raises BadSetting: an age is too short
    """
    for name, age in (("keep", keep), ("anonymise_after", anonymise_after)):
        if age is not None and age <= SEALED_AFTER:
            raise BadSetting(f"{name} must be longer than {SEALED_AFTER.days} days: younger contacts may change.")
    sealed, last_seals = 0, {}
    with connected(ledger_conn_id) as ledger:
        tidy(ledger, keep)
        for operation in operations(ledger):
            days, last = seal(ledger, operation, secret)
            sealed += days
            if last:
                last_seals[operation] = f"{last.day} {last.digest.hex()}"
        anonymous = 0 if anonymise_after is None else anonymise(ledger, secret, anonymise_after)
        deleted = forget(ledger, keep)
    return {"sealed": sealed, "anonymous": anonymous, "deleted": deleted, "seals": last_seals}
