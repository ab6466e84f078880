"""What drivers, data frames and spreadsheets make of a value, read as plain text. Pure."""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from decimal import Decimal
from typing import Any, SupportsIndex
from uuid import UUID

SWITCH = {  # message of settings for on and off, in small letters
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
LARGEST = 10**40  # below it, a number may be an id: no SQL database has longer ones
_EXACT = 2**53  # below it, a float has all its digits
_EXACT_SINGLE = 2**24  # likewise one of 32 bits
_OF_FRAMES = ("pandas", "numpy", "pyarrow")  # whose values are unwrapped, without importing any of them

# What WhatsApp, spreadsheets and web forms leave around an id: marks of direction, joiners, blanks of all widths.
# Of Unicode's planes those alone that have such marks: all of them would take each process a tenth of a second.
_PLANES = (*range(0x20000), *range(0xE0000, 0xF0000))
UNSEEN = "".join(mark for mark in map(chr, _PLANES) if unicodedata.category(mark) == "Cf")
BLANK = "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\u2800\u3164\u115f\u1160" + (
    "".join(map(chr, range(0x2000, 0x200B))) + UNSEEN
)
# What keeps a spreadsheet from reading a number: ="1023", =1023, a pair of quotes (those within doubled, as in a CSV
# file), or an apostrophe in front. A quote within that isn't doubled belongs to the text.
_QUOTED = re.compile(
    r"""=?\s*(?:"((?:[^"]|"")*)"|'([^']*)'|\u201c([^\u201d]*)\u201d|\u00ab([^\u00bb]*)\u00bb|\u2018([^\u2019]*)\u2019)"""
    r"|=\s*(\d+)"
)
_APOSTROPHE = re.compile("['\u2019\u2018`\u00b4](?=\\w)")
_OPENING = frozenset("=\"\u201c\u00ab'\u2019\u2018`\u00b4")
_MOST_PAIRS = 4  # that stand around one another: "'=""1023"""


def text_of(value: object) -> str | None:
    """
    The value as text, an id's digits unchanged (5.0 and Decimal("5") are "5"); None when it is empty.

    Quotes of spreadsheets, blanks and invisible marks around it are taken off.

    :raises ValueError: for what no id is made of, saying in a word what is wrong
    """
    if isinstance(value, str):
        text = _stripped(value)
        return (_unquoted(text) if text[:1] in _OPENING else text) or None
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return text_of(_decoded(value))
    if isinstance(value, (float, Decimal)):
        return _number(value)
    if isinstance(value, UUID):
        return str(value)
    meant = plain(value)
    if _has_lost_digits(value, meant):
        raise ValueError("not_whole")
    return _integer(value) if meant is value else text_of(meant)


def _integer(value: object) -> str:
    """An integer of any type, as text; errors as ``text_of``."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise ValueError("not_text")
    try:
        number = operator.index(value)
    except Exception:
        raise ValueError("not_text") from None  # an array that isn't one number, for instance
    if abs(number) >= LARGEST:  # Python itself refuses to write the longest ones
        raise ValueError("too_long")
    return str(number)


def plain(value: Any) -> Any:
    """The Python value that one of pandas, numpy or Arrow stands for, None for a missing one; others as they are."""
    kind = type(value)
    if kind.__module__.partition(".")[0] not in _OF_FRAMES:
        return value
    if kind.__name__ in ("NAType", "NaTType"):
        return None
    try:
        if hasattr(value, "as_py"):
            return value.as_py()
        if hasattr(value, "to_pydatetime"):
            return value.to_pydatetime(warn=False)
        if value.ndim == 0:
            return (value.astype("datetime64[us]") if value.dtype.kind == "M" else value).item()
    except Exception:
        return value  # a class of theirs that is no single value
    return value


def _has_lost_digits(value: Any, meant: object) -> bool:
    """Whether a number comes from a float of 32 bits or less that is too small for it."""
    size = getattr(getattr(value, "dtype", None), "itemsize", 8)
    return isinstance(meant, float) and size < 8 and abs(meant) >= _EXACT_SINGLE


def is_nan(value: object) -> bool:
    """Whether it is NaN, which is how some drivers spell NULL."""
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and math.isnan(value)


def folded(text: str) -> str:
    """Its letters and digits alone, in small letters without accents: how people's spellings of a word are compared."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def _stripped(text: str) -> str:
    return text.strip() if text.isascii() else text.strip(BLANK)


def _unquoted(text: str) -> str:
    for _ in range(_MOST_PAIRS):
        match = _QUOTED.fullmatch(text)
        if match is None:
            break
        text = _stripped(str(match[match.lastindex or 0]).replace('""', '"'))
    return text[1:] if _APOSTROPHE.match(text) else text


def _number(value: float | Decimal) -> str | None:
    """A whole number's digits; None for NaN."""
    if is_nan(value):
        return None
    size = value.copy_abs() if isinstance(value, Decimal) else Decimal(abs(value))
    if not size < (_EXACT if isinstance(value, float) else LARGEST) or value != int(value):
        raise ValueError("not_whole")
    return str(int(value))


def _decoded(value: bytes | bytearray | memoryview) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise ValueError("not_text") from None
