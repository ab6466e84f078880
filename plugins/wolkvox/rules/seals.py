"""What a day's contacts were, in one digest that follows from the day before: whether any was removed since. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from wolkvox.rules.anonymity import anonymous

# Days after which nothing of a settled contact changes any more: contacts older than 31 days are neither sent nor
# offered again, and no audit looks at them.
SEALED_AFTER = timedelta(days=35)


def digest(secret: str, operation: str, previous: bytes | None, contacts: Iterable[Sequence[Any]]) -> tuple[bytes, int]:
    """
    The digest of a day, and how many contacts it covers.

    :param previous: that of the day before
    :param contacts: id, customer's id, and whatever else is to be proven of each, in the order of ids; a customer's id
        counts in its anonymous form, so that a contact that is made anonymous leaves the digest as it is
    """
    total, count = sha256(previous or b""), 0
    for number, customer_id, *rest in contacts:
        who = None if customer_id is None else anonymous(secret, operation, customer_id)
        total.update(json.dumps([number, who, *map(_plain, rest)]).encode() + b"\n")
        count += 1
    return total.digest(), count


def _plain(value: Any) -> Any:
    return value.astimezone(timezone.utc).isoformat() if isinstance(value, datetime) else value
