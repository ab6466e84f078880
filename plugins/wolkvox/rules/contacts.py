"""Which rows of the warehouse can be sent, and what identifies a contact. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from wolkvox.rules.ids import is_no_code, is_no_id, is_placeholder
from wolkvox.rules.timestamps import parse_timestamp
from wolkvox.rules.values import LARGEST, UNSEEN, folded, is_nan, plain, text_of

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

# How drivers and people write yes and no, ``folded``; bits are read apart.
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
    Return the contact of one row of the warehouse.

    :param row: the values of ``COLUMNS``, in that order, of whatever type the warehouse gives; then, if it gives
        them, those of ``OPTIONAL``
    :param operation: the wolkvox operation the contact belongs to
    :param zone: the zone a ``contacted_at`` without one is read in
    :param placeholders: ids that stand for nobody, ``values.folded``, besides those that do everywhere
    """
    texts, strange = _texts(row[:5])
    type_campaign, campaign_id, customer_id, cod_act, cod_act_2 = texts
    if type_campaign is not None:
        type_campaign = type_campaign.lower()
    comment = _comment(row[5])
    contacted_at, why = parse_timestamp(row[6], zone)
    parts = (type_campaign, campaign_id, customer_id, cod_act, cod_act_2)
    reason = strange or _flaw(parts, placeholders) or (why and f"contacted_at_{why}")
    key = _key((operation, *parts, _identity(contacted_at, row[6])), contacted_at)
    if reason is None:
        contact = Contact(key, *parts, comment, contacted_at, None)
    else:
        stored = [_storable(part, LONGEST[name]) for name, part in zip(COLUMNS, parts, strict=False)]
        contact = Contact._make((key, *stored, comment, contacted_at, reason, None, None, None))
    if len(row) == len(COLUMNS):
        return contact
    return contact._replace(channel=_channel(row[7]), direct=_direct(row[8]))


def _channel(value: object) -> str | None:
    try:
        return _storable(text_of(value), LONGEST_CHANNEL)
    except ValueError:
        return None


def _direct(value: object) -> bool | None:
    """Return yes or no, of a boolean, a bit or a word; None for any other value."""
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
    """Return the fields as text, and why one of them is no text."""
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
    """Return what the ledger keeps of a value that is no text: its type, for whoever mends the query."""
    return f"({type(value).__name__})"


def _comment(value: object) -> str | None:
    """Return the comment as it can be sent: cut, and without characters nobody types; None where it is no text."""
    text = value if isinstance(value, str) else _remark(plain(value))
    if text is None:
        return None
    text = text[:LONGEST_COMMENT]
    if text.isprintable():
        return text
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _NOT_TYPED.sub(lambda match: "\n" if match[0] in _LINE_BREAKS else " ", paired)


def _remark(value: object) -> str | None:
    """Return the text of a comment that isn't given as text, or None."""
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
    """Return why these fields can't be sent, or None."""
    for column, flaw in _FLAWS:
        what = flaw(parts[column])
        if what:
            return f"{COLUMNS[column]}_{what}"
    for name, part in zip(COLUMNS, parts, strict=False):
        if part is None:
            continue
        if len(part) > LONGEST[name]:
            return f"{name}_too_long"
        if not part.isprintable() and _UNSENDABLE.search(part):
            return f"{name}_control_characters"
    return "customer_id_placeholder" if is_placeholder(parts[2] or "", placeholders) else None


def _missing(part: str | None) -> str | None:
    return None if part else "missing"


def _of_type(part: str | None) -> str | None:
    return None if part in TYPES else "unknown" if part else "missing"


def _of_campaign(part: str | None) -> str | None:
    if part is None:
        return "missing"
    return None if part.isascii() and part.isdigit() else "not_digits"


def _of_customer(part: str) -> str | None:
    return None if (part.isascii() and part.isdigit()) or not is_no_id(part) else "not_an_id"


def _of_code(part: str | None) -> str | None:
    return None if part is None or part.isdigit() or not is_no_code(part) else "not_a_code"


# A column, and what may be wrong with it, in the order in which a row is judged: what is missing comes first.
_FLAWS: tuple[tuple[int, Callable[[Any], str | None]], ...] = (
    (0, _of_type),
    (1, _of_campaign),
    (2, _missing),
    (3, _missing),
    (2, _of_customer),
    (3, _of_code),
    (4, _of_code),
)


def _identity(contacted_at: datetime | None, value: object) -> str | None:
    """
    Return the contact's timestamp as its key has it, to the second: a table that is loaded again may round it.

    Values that are no timestamp are distinguished by their text.
    """
    if contacted_at is not None:
        return contacted_at.isoformat(timespec="seconds")
    value = plain(value)
    try:
        return text_of(value)
    except ValueError:
        return str(value) if isinstance(value, date) else _described(value)


def _key(parts: Sequence[str | None], contacted_at: datetime | None) -> bytes:
    """
    Return a digest in which None differs from "", and one field never runs into the next.

    It begins with the second of the contact: new contacts then lie side by side in the index of a large ledger,
    where random keys would each touch a page of their own.
    """
    text = "".join(["-1:" if part is None else f"{len(part)}:{part}" for part in parts])
    second = 0 if contacted_at is None else int(contacted_at.timestamp())
    return second.to_bytes(4, "big") + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _storable(text: str | None, longest: int) -> str | None:
    """Return what PostgreSQL can keep of a text that will never be sent."""
    return None if text is None else _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text[:longest])
