"""
A digest of what was settled on each day, in a hash chain: whether any of it was removed, added or changed since. Pure.

A day's digest covers the day's contacts, the digest of the day before, and up to when retention may have deleted
contacts. It is made with the secret: nobody who has the ledger alone can make one that fits.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from hashlib import sha256
from typing import Any, NamedTuple

from wolkvox.rules.ages import DIGEST_AFTER
from wolkvox.rules.anonymity import anonymous, impersonal


class DigestedRow(NamedTuple):
    """
    A settled contact as its digest covers it: what the evidence shows, without the vendor's messages.

    ``rest`` is all that stays as it is when the contact becomes anonymous: dates, state, answers, dials.
    """

    id: int
    customer_id: str | None
    state: str
    type_campaign: str | None
    campaign_id: str | None
    cod_act: str | None
    cod_act_2: str | None
    channel: str | None
    rest: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class DailyDigest:
    """
    The digest of one day.

    :param records: contacts that were settled on that day (UTC)
    :param contents: their digest
    :param deleted_before: retention may delete, or has deleted, what was settled before
    :param previous: digest of the day before; None for the first day
    :param digest: what ``signed`` makes of all this
    """

    day: date
    records: int
    contents: bytes
    deleted_before: datetime
    previous: bytes | None
    digest: bytes


def contents_of(secret: str, operation: str, contacts: Iterable[DigestedRow]) -> tuple[int, bytes]:
    """
    Return how many contacts of a day there are, and their digest; they are given in the order of ids.

    Each counts in its anonymous form, so that a contact that is made anonymous leaves the digest as it is.
    """
    total, count = sha256(), 0
    for contact in contacts:
        who = None if contact.customer_id is None else anonymous(secret, operation, contact.customer_id)
        columns = impersonal(contact.state, contact[3:8])
        row = [contact.id, who, contact.state, *columns, *map(_plain, contact.rest)]
        total.update(json.dumps(row).encode() + b"\n")
        count += 1
    return count, total.digest()


def signed(
    secret: str,
    operation: str,
    day: date,
    records: int,
    contents: bytes,
    deleted_before: datetime,
    previous: bytes | None,
) -> DailyDigest:
    """Return the digest of a day."""
    row = [operation, day.isoformat(), records, contents.hex(), _plain(deleted_before), previous and previous.hex()]
    digest = hmac.new(secret.encode(), json.dumps(row).encode(), sha256).digest()
    return DailyDigest(day, records, contents, deleted_before, previous, digest)


def is_signed(secret: str, operation: str, digest: DailyDigest) -> bool:
    """Whether a digest is as retention made it; its contacts are not compared."""
    made = signed(
        secret, operation, digest.day, digest.records, digest.contents, digest.deleted_before, digest.previous
    )
    return hmac.compare_digest(made.digest, digest.digest)


def begin(day: date) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.combine(day, time(), timezone.utc)


def first_undigested_day(now: datetime) -> date:
    """Return the first day of which something may still change; every day before it gets a digest."""
    return (now - DIGEST_AFTER).astimezone(timezone.utc).date()


def _plain(value: Any) -> Any:
    return value.astimezone(timezone.utc).isoformat() if isinstance(value, datetime) else value
