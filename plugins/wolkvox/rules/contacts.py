"""Which rows of the warehouse can be sent, and what identifies a contact. Pure: no I/O, no clock."""

from __future__ import annotations

import math
import operator
import re
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time, timezone, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple, SupportsIndex
from uuid import UUID

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

_LARGEST = 10**40  # below it, a number may be an id: no SQL database has longer ones
_EXACT = 2**53  # below it, a float has all its digits

# A contact outside these years is a broken date: it would win over every true contact, or lose to all.
FIRST_YEAR, LAST_YEAR = 2000, 2100

# What WhatsApp, spreadsheets and web forms leave around an id: marks of direction, joiners, blanks of all widths.
_UNSEEN = "".join(mark for mark in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(mark) == "Cf")
_BLANK = "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\u2800\u3164\u115f\u1160" + (
    "".join(map(chr, range(0x2000, 0x200B))) + _UNSEEN
)
# What a spreadsheet or a program made of a value: 1.02E+09, 1,02E+09, 1023456789.0, #DIV/0!, #¡REF!, b'1001'.
_MANGLED = re.compile(
    r"[+-]?\d+([.,]\d*[eE][+-]?|[eE][+])\d+|[+-]?\d+[.,]0*|#.*[!?]|#[nN]/[aAdD]|b'.*'|b\".*\"|\[object .*\]"
)
_NOTHING = frozenset(("nan", "nat", "null", "(null)", "\\n", "none", "nil", "undefined", "<na>", "inf", "-inf"))
_NO_CUSTOMER = _NOTHING.union(
    ("na", "n/a", "n/d", "s/d", "infinity", "true", "false", "unknown", "anonymous"),
    ("desconocido", "desconocida", "anónimo", "anonimo", "ninguno", "sin dato", "sin datos", "no aplica"),
)
_NEGATIVE = re.compile(r"-\d+")  # the key of "nobody" in many a warehouse is -1

_YES = frozenset(("1", "t", "true", "y", "yes", "s", "si", "sí"))
_NO = frozenset(("0", "f", "false", "n", "no"))

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?\s*(?:([Zz])|([+-]\d\d):?(\d\d)?)?)?", re.ASCII
)

_UNSENDABLE = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_UNSEEN}]")
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


def read_contact(row: Sequence[object], *, operation: str, zone: tzinfo) -> Contact:
    """
    Make a contact of one warehouse row.

    :param row: the values of ``COLUMNS``, in that order, of whatever type the warehouse gives; then, if it gives
        them, those of ``OPTIONAL``
    :param operation: the wolkvox operation the contact belongs to
    :param zone: the zone a ``contacted_at`` without one is read in
    """
    remark, moment = row[5], row[6]
    texts, strange = _texts(row[:5])
    type_campaign, campaign_id, customer_id, cod_act, cod_act_2 = texts
    if type_campaign is not None:
        type_campaign = type_campaign.lower()
    comment = _comment(remark)
    contacted_at, reason = _moment(moment, zone)
    parts = (type_campaign, campaign_id, customer_id, cod_act, cod_act_2)
    reason = strange or _flaw(parts) or reason
    key = _key((operation, *parts, _told(contacted_at, moment)), contacted_at)
    if reason is None:
        contact = Contact(key, *parts, comment, contacted_at, None)
    else:
        stored = [_storable(part, LONGEST[name]) for name, part in zip(COLUMNS, parts, strict=False)]
        contact = Contact._make((key, *stored, comment, contacted_at, reason, None, None, None))
    if len(row) == len(COLUMNS):
        return contact
    return contact._replace(channel=_channel(row[7]), direct=_direct(row[8]))


def read_id(value: object) -> str | None:
    """
    A customer's id as ``read_contact`` reads it; None when there is none.

    :raises ValueError: for what no id is made of
    """
    return _text(value)


def read_moment(text: str, zone: tzinfo) -> datetime | None:
    """A moment in UTC, of a text in ISO 8601 or as databases write it; None for what is none."""
    return _moment(text, zone)[0]


def _channel(value: object) -> str | None:
    try:
        return _storable(_text(value), LONGEST_CHANNEL)
    except ValueError:
        return None


def _direct(value: object) -> bool | None:
    """What drivers and people make of yes and no."""
    if value is None or isinstance(value, bool):
        return value
    try:
        word = (_text(value) or "").lower()
    except ValueError:
        return None
    return True if word in _YES else False if word in _NO else None


def _texts(fields: Sequence[object]) -> tuple[list[str | None], str | None]:
    """The fields as text, and why one of them is none."""
    try:
        return list(map(_text, fields)), None
    except ValueError:
        pass
    texts, reason = [], None
    for name, value in zip(COLUMNS, fields, strict=False):
        try:
            texts.append(_text(value))
        except ValueError as error:
            texts.append(_described(value))
            reason = reason or (f"{name}_{error}" if name != "campaign_id" else "campaign_id_not_digits")
    return texts, reason


def _text(value: object) -> str | None:
    """
    The value as text, an id's digits unchanged (5.0 and Decimal("5") are "5"); None when it is empty.

    :raises ValueError: for what no id is made of, saying in a word what is wrong
    """
    if isinstance(value, str):
        return (value.strip() if value.isascii() else value.strip(_BLANK)) or None
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _text(_decoded(value))
    if isinstance(value, (float, Decimal)):
        return _number(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise ValueError("not_text")
    number = operator.index(value)
    if abs(number) >= _LARGEST:  # Python itself refuses to write the longest ones
        raise ValueError("too_long")
    return str(number)


def _number(value: float | Decimal) -> str | None:
    """A whole number's digits; None for NaN, which is how some drivers spell NULL."""
    if _is_nan(value):
        return None
    size = value.copy_abs() if isinstance(value, Decimal) else Decimal(abs(value))
    if not size < (_EXACT if isinstance(value, float) else _LARGEST) or value != int(value):
        raise ValueError("not_whole")
    return str(int(value))


def _is_nan(value: object) -> bool:
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and math.isnan(value)


def _decoded(value: bytes | bytearray | memoryview) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise ValueError("not_text") from None


def _described(value: object) -> str:
    """What the ledger keeps of a value that is no text: its type, for whoever mends the query."""
    return f"({type(value).__name__})"


def _comment(value: object) -> str | None:
    """The comment as it can be sent: cut, and without what nobody types; None where it is no text."""
    text = value if isinstance(value, str) else _remark(value)
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
    if isinstance(value, (float, Decimal, date, UUID)) or (isinstance(value, int) and abs(value) < _LARGEST):
        return None if _is_nan(value) else str(value)
    return None


def _flaw(parts: Sequence[str | None]) -> str | None:
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
    if not (customer_id.isascii() and customer_id.isdigit()) and _is_no_id(customer_id):
        return "customer_id_not_an_id"
    if not cod_act.isdigit() and _is_no_code(cod_act):
        return "cod_act_not_a_code"
    if cod_act_2 is not None and _is_no_code(cod_act_2):
        return "cod_act_2_not_a_code"
    for name, part in zip(COLUMNS, parts, strict=False):
        if part is None:
            continue
        if len(part) > LONGEST[name]:
            return f"{name}_too_long"
        if not part.isprintable() and _UNSENDABLE.search(part):
            return f"{name}_control_characters"
    return None


def _is_no_id(text: str) -> bool:
    """Whether nobody can call this a customer's id, though it is text."""
    return (
        text.lower() in _NO_CUSTOMER
        or _MANGLED.fullmatch(text) is not None
        or _NEGATIVE.fullmatch(text) is not None
        or not any(map(str.isalnum, text))
        or any(character.isdigit() and not character.isascii() for character in text)
    )


def _is_no_code(text: str) -> bool:
    """Likewise of a disposition code."""
    return text.lower() in _NOTHING or _MANGLED.fullmatch(text) is not None


def _moment(value: object, zone: tzinfo) -> tuple[datetime | None, str | None]:
    """The instant in UTC, and why there is none."""
    if value is None:
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
    match = _MOMENT.fullmatch(text.strip(_BLANK))
    if match is None:
        return None
    day, minutes, seconds, fraction, utc, hours, rest = match.groups()
    offset = "+00:00" if utc else f"{hours}:{rest or '00'}" if hours else ""
    clock = f"{minutes or '00:00'}{seconds or ':00'}.{(fraction or '')[:6]:0<6}{offset}"
    try:
        return datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        return None


def _told(contacted_at: datetime | None, moment: object) -> str | None:
    """
    The contact's moment, to the second: a table that is loaded anew may round what is below it.

    What is no moment is told apart by its text.
    """
    if contacted_at is not None:
        return contacted_at.isoformat(timespec="seconds")
    try:
        return _text(moment)
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
