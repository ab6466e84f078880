"""Which rows of the warehouse can be sent, and what identifies a contact. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timezone, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

COLUMNS = (
    "type_campaign",
    "campaign_id",
    "customer_id",
    "cod_act",
    "cod_act_2",
    "comment",
    "contacted_at",
)
TYPES = ("preview", "predictive")

# Characters a field may have. The vendor documents none of these; they keep garbage out of the quota.
LONGEST = {"type_campaign": 20, "campaign_id": 20, "customer_id": 100, "cod_act": 50, "cod_act_2": 50}
LONGEST_COMMENT = 5_000

_LARGEST = Decimal("1e40")  # below it, a decimal may be an id: no SQL database has longer ones

# A contact outside these years is a broken date: it would win over every true contact, or lose to all.
FIRST_YEAR, LAST_YEAR = 2000, 2100

_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSENDABLE_COMMENT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Contact(NamedTuple):
    """
    One row of the warehouse as the ledger keeps it.

    ``key`` is 16 bytes, the same for the same contact however often it is pulled; ``reason`` is None for
    a row that can be sent and a short code (``customer_id_missing``) for one that can't. ``contacted_at`` is
    in UTC. An unsendable row has its texts cut and cleaned so that they can be stored.
    """

    key: bytes
    type_campaign: str | None
    campaign_id: str | None
    customer_id: str | None
    cod_act: str | None
    cod_act_2: str | None
    comment: str | None
    contacted_at: datetime | None
    reason: str | None


def read_contact(row: Sequence[object], *, operation: str, zone: tzinfo) -> Contact:
    """
    Make a contact of one warehouse row.

    :param row: the values of ``COLUMNS``, in that order, of whatever type the warehouse gives
    :param operation: the wolkvox operation the contact belongs to
    :param zone: the zone a ``contacted_at`` without one is read in
    """
    *fields, comment, moment = row
    type_campaign, campaign_id, customer_id, cod_act, cod_act_2 = map(_text, fields)
    if type_campaign is not None:
        type_campaign = type_campaign.lower()
    comment = None if comment is None else str(comment)
    contacted_at, reason = _moment(moment, zone)
    parts = (type_campaign, campaign_id, customer_id, cod_act, cod_act_2)
    reason = _flaw(parts, comment) or reason
    told: tuple[str | None, ...] = (operation, *parts, contacted_at.isoformat() if contacted_at else _text(moment))
    if reason is not None and reason.startswith("comment_"):
        told = (*told, comment)  # so that the contact is a new one once its comment is mended
    key = _key(told, contacted_at)
    if reason is None:
        return Contact(key, *parts, comment, contacted_at, None)
    stored = [_storable(part, LONGEST[name]) for name, part in zip(COLUMNS, parts, strict=False)]
    return Contact._make((key, *stored, _storable(comment, LONGEST_COMMENT), contacted_at, reason))


def _text(value: object) -> str | None:
    """The value as text, an id's digits unchanged (5.0 and Decimal("5") are "5"); None when it is empty."""
    if isinstance(value, str):
        return value.strip(" ") or None
    if isinstance(value, float):
        value = Decimal(str(value))
    if value is None or (isinstance(value, Decimal) and value.is_nan()):  # NaN is how some drivers spell NULL
        return None
    if isinstance(value, Decimal) and value.copy_abs() < _LARGEST and value == value.to_integral_value():
        return str(int(value))
    return str(value).strip(" ") or None


def _flaw(parts: Sequence[str | None], comment: str | None) -> str | None:
    """Why these fields can't be sent, or None."""
    type_campaign, campaign_id, customer_id, cod_act, _ = parts
    if type_campaign not in TYPES:
        return "type_campaign_unknown" if type_campaign else "type_campaign_missing"
    if campaign_id is None:
        return "campaign_id_missing"
    if not (campaign_id.isascii() and campaign_id.isdigit()):
        return "campaign_id_not_digits"
    if customer_id is None:
        return "customer_id_missing"
    if cod_act is None:
        return "cod_act_missing"
    for name, part in zip(COLUMNS, parts, strict=False):
        if part is None:
            continue
        if len(part) > LONGEST[name]:
            return f"{name}_too_long"
        if not part.isprintable() and _UNSENDABLE.search(part):
            return f"{name}_control_characters"
    if comment is not None:
        if len(comment) > LONGEST_COMMENT:
            return "comment_too_long"
        if not comment.isprintable() and _UNSENDABLE_COMMENT.search(comment):
            return "comment_control_characters"
    return None


def _moment(value: object, zone: tzinfo) -> tuple[datetime | None, str | None]:
    """The instant in UTC, and why there is none."""
    if value is None:
        return None, "contacted_at_missing"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            return None, "contacted_at_unreadable"
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None, "contacted_at_unreadable"
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None, "contacted_at_out_of_range"
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return value.astimezone(timezone.utc), None


def _key(told: Sequence[str | None], contacted_at: datetime | None) -> bytes:
    """
    A digest that tells None from "" and never lets one field run into the next.

    It begins with the second of the contact: new contacts then lie side by side in the index of a large ledger,
    where random keys would each touch a page of their own.
    """
    told_apart = "".join(["-1:" if part is None else f"{len(part)}:{part}" for part in told])
    second = 0 if contacted_at is None else int(contacted_at.timestamp())
    return second.to_bytes(4, "big") + blake2b(told_apart.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _storable(text: str | None, longest: int) -> str | None:
    """What PostgreSQL can keep of a text that will never be sent."""
    return None if text is None else _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text[:longest])
