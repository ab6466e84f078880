"""Which rows of the warehouse can be sent, and what identifies a contact. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timezone, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from wolkvox.rules.ids import is_no_code, is_no_id, is_placeholder
from wolkvox.rules.values import BLANK, LARGEST, UNSEEN, folded, is_nan, plain, text_of

COLUMNS = (
    "type_campaign",
    "campaign_id",
    "customer_id",
    "cod_act",
    "cod_act_2",
    "comment",
    "contacted_at",
)
OPTIONAL = ("channel", "direct")  # of a contact, where the warehouse knows: kept as evidence, never sent
TYPES = ("preview", "predictive")

# Characters a field may have. The vendor documents none of these; they keep garbage out of the quota.
LONGEST = {"type_campaign": 20, "campaign_id": 20, "customer_id": 100, "cod_act": 50, "cod_act_2": 50}
LONGEST_CHANNEL = 50
LONGEST_COMMENT = 5_000

# A contact outside these years is a broken date: it would win over every true contact, or lose to all.
FIRST_YEAR, LAST_YEAR = 2000, 2100

# What drivers and people make of yes and no, ``folded``; bits are looked at apart.
_YES = frozenset(
    (
        *("t", "true", "y", "yes", "on", "s", "si", "v", "verdadero", "verdadera", "cierto"),
        *("direct", "directo", "directa", "contactodirecto"),
    )
)
_NO = frozenset(
    (
        *("f", "false", "n", "no", "off", "falso", "falsa"),
        *("indirect", "indirecto", "indirecta", "contactoindirecto", "nodirecto", "nodirecta", "nodirect", "notdirect"),
    )
)
# A bit, or a string of them, as databases write one: 0, 1.0, -1, b'0', 0x01, \x00.
_BITS = re.compile(r"(?:[bBxX]')?(?:0x|\\x)?-?([01]+)(?:[.,]0+)?'?", re.ASCII)

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)?\s*"
    r"(?:([Zz]|UTC|GMT)|([+-]\d\d):?(\d\d)?|([A-Z][A-Za-z_]+/[A-Za-z_/+-]+))?)?",
    re.ASCII,
)

_UNSENDABLE = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{UNSEEN}]")
_NOT_TYPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # in a comment
_LINE_BREAKS = "\x0b\x0c\x85"  # of word processors and mainframes


class Contact(NamedTuple):
    """
    One row of the warehouse as the ledger keeps it.

    ``key`` is 16 bytes, the same for the same contact however often it is pulled; ``reason`` is None for
    a row that can be sent and a short code (``customer_id_missing``) for one that can't. ``contacted_at`` is
    in UTC. An unsendable row has its texts cut and cleaned so that they can be stored; a comment always is, and
    never a reason: the code is what keeps the customer from being dialled. ``channel`` is where the
    customer was reached and ``direct`` whether both sides spoke; None where the warehouse doesn't say it readably.
    ``protected_until`` is until when the customer must not be dialled, where rules for that are given.
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
    channel: str | None = None
    direct: bool | None = None
    protected_until: datetime | None = None


def read_contact(row: Sequence[object], *, operation: str, zone: tzinfo, placeholders: Collection[str] = ()) -> Contact:
    """
    Make a contact of one warehouse row.

    :param row: the values of ``COLUMNS``, in that order, of whatever type the warehouse gives; then, if it gives
        them, those of ``OPTIONAL``
    :param operation: the wolkvox operation the contact belongs to
    :param zone: the zone a ``contacted_at`` without one is read in
    :param placeholders: ids that stand for nobody, ``values.folded``, besides those that do everywhere
    """
    remark, moment = row[5], row[6]
    texts, strange = _texts(row[:5])
    type_campaign, campaign_id, customer_id, cod_act, cod_act_2 = texts
    if type_campaign is not None:
        type_campaign = type_campaign.lower()
    comment = _comment(remark)
    contacted_at, reason = _moment(moment, zone)
    parts = (type_campaign, campaign_id, customer_id, cod_act, cod_act_2)
    reason = strange or _flaw(parts, placeholders) or reason
    key = _key((operation, *parts, _told(contacted_at, moment)), contacted_at)
    if reason is None:
        contact = Contact(key, *parts, comment, contacted_at, None)
    else:
        stored = [_storable(part, LONGEST[name]) for name, part in zip(COLUMNS, parts, strict=False)]
        contact = Contact._make((key, *stored, comment, contacted_at, reason, None, None, None))
    if len(row) == len(COLUMNS):
        return contact
    return contact._replace(channel=_channel(row[7]), direct=_direct(row[8]))


def read_moment(value: object, zone: tzinfo) -> datetime | None:
    """A moment in UTC, of a text in ISO 8601 or as databases write it; None for what is none."""
    return _moment(value, zone)[0]


def _channel(value: object) -> str | None:
    try:
        return _storable(text_of(value), LONGEST_CHANNEL)
    except ValueError:
        return None


def _direct(value: object) -> bool | None:
    """Yes or no, of a boolean, a bit or a word; None for what is neither."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)) and set(bytes(value)) <= {0, 1}:
        return any(bytes(value)) if value else None  # MySQL's BIT
    try:
        text = text_of(value) or ""
    except ValueError:
        return None
    bits = _BITS.fullmatch(text)
    if bits:
        return "1" in bits[1]
    word = folded(text)
    return True if word in _YES else False if word in _NO else None


def _texts(fields: Sequence[object]) -> tuple[list[str | None], str | None]:
    """The fields as text, and why one of them is none."""
    try:
        return list(map(text_of, fields)), None
    except ValueError:
        pass
    texts, reason = [], None
    for name, value in zip(COLUMNS, fields, strict=False):
        try:
            texts.append(text_of(value))
        except ValueError as error:
            texts.append(_described(value))
            reason = reason or (f"{name}_{error}" if name != "campaign_id" else "campaign_id_not_digits")
    return texts, reason


def _described(value: object) -> str:
    """What the ledger keeps of a value that is no text: its type, for whoever mends the query."""
    return f"({type(value).__name__})"


def _comment(value: object) -> str | None:
    """The comment as it can be sent: cut, and without what nobody types; None where it is no text."""
    text = value if isinstance(value, str) else _remark(plain(value))
    if text is None:
        return None
    text = text[:LONGEST_COMMENT]
    if text.isprintable():
        return text
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _NOT_TYPED.sub(lambda found: "\n" if found[0] in _LINE_BREAKS else " ", paired)


def _remark(value: object) -> str | None:
    """The text of a comment that isn't given as text."""
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return bytes(value).decode("cp1252", "replace")
    if isinstance(value, (float, Decimal, date, UUID)) or (isinstance(value, int) and abs(value) < LARGEST):
        return None if is_nan(value) else str(value)
    return None


def _flaw(parts: Sequence[str | None], placeholders: Collection[str]) -> str | None:
    """Why these fields can't be sent, or None."""
    type_campaign, campaign_id, customer_id, cod_act, cod_act_2 = parts
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
    if not (customer_id.isascii() and customer_id.isdigit()) and is_no_id(customer_id):
        return "customer_id_not_an_id"
    if not cod_act.isdigit() and is_no_code(cod_act):
        return "cod_act_not_a_code"
    if cod_act_2 is not None and is_no_code(cod_act_2):
        return "cod_act_2_not_a_code"
    for name, part in zip(COLUMNS, parts, strict=False):
        if part is None:
            continue
        if len(part) > LONGEST[name]:
            return f"{name}_too_long"
        if not part.isprintable() and _UNSENDABLE.search(part):
            return f"{name}_control_characters"
    return "customer_id_placeholder" if is_placeholder(customer_id, placeholders) else None


def _moment(value: object, zone: tzinfo) -> tuple[datetime | None, str | None]:
    """The instant in UTC, and why there is none."""
    if type(value) is not datetime:
        value = plain(value)
    if value is None or is_nan(value):
        return None, "contacted_at_missing"
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode(errors="replace")
    if isinstance(value, str):
        value = _read_moment(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None, "contacted_at_unreadable"
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None, "contacted_at_out_of_range"
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return value.astimezone(timezone.utc), None


def _read_moment(text: str) -> datetime | None:
    """A moment as ISO 8601 and databases write it, whichever Python reads it."""
    match = _MOMENT.fullmatch(text.strip(BLANK))
    if match is None:
        return None
    day, hour, minute, seconds, fraction, utc, hours, rest, zone = match.groups()
    offset = "+00:00" if utc else f"{hours}:{rest or '00'}" if hours else ""
    clock = f"{hour or '00'}:{minute or '00'}{seconds or ':00'}.{(fraction or '')[:6]:0<6}{offset}"
    try:
        read = datetime.fromisoformat(f"{day}T{clock}")
        return read.replace(tzinfo=ZoneInfo(zone)) if zone else read
    except (ValueError, KeyError, OSError):  # a zone that isn't found is a KeyError, a folder of zones an OSError
        return None


def _told(contacted_at: datetime | None, moment: object) -> str | None:
    """
    The contact's moment, to the second: a table that is loaded anew may round what is below it.

    What is no moment is told apart by its text.
    """
    if contacted_at is not None:
        return contacted_at.isoformat(timespec="seconds")
    moment = plain(moment)
    try:
        return text_of(moment)
    except ValueError:
        return str(moment) if isinstance(moment, date) else _described(moment)


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
