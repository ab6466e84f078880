"""E-mail addresses as people write them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_PART = r"""[^@\s,;<>{}"'()\[\]]+"""
_ADDRESS = re.compile(rf"{_PART}@{_PART}\.{_PART}")
LONGEST = 254  # characters of an address, by RFC 5321


@dataclass(frozen=True, slots=True)
class Addresses:
    """``usable`` ones, each once and in their order, and what is none."""

    usable: list[str] = field(default_factory=list)
    left_aside: list[str] = field(default_factory=list)


def read_addresses(*texts: str) -> Addresses:
    """
    The addresses in texts, parted by commas, semicolons, line feeds or blanks, or a JSON list.

    ``Ana <ana@example.com>`` and ``"Pérez, Ana" <ana@example.com>`` are addresses too.
    """
    found = Addresses()
    known = set()
    for written in (part for text in texts for part in _written(text)):
        address = written.strip("[]'\"").removeprefix("mailto:")
        if not address or address.lower() in known:
            continue
        known.add(address.lower())
        usable = len(address) <= LONGEST and address.isprintable() and _ADDRESS.fullmatch(address)
        (found.usable if usable else found.left_aside).append(address)
    return found


def _written(text: str) -> Iterable[str]:
    """What may be an address each."""
    text = text.strip()
    if text.startswith("["):
        try:
            items = json.loads(text)
        except (ValueError, RecursionError):
            items = None
        if isinstance(items, list):
            return [part for item in items for part in _parts(str(item))]
    return _parts(text)


def _parts(text: str) -> list[str]:
    # A name in quotes may hold a comma; an address in quotes is one.
    text = re.sub(r'"([^"]*)"', lambda quoted: quoted[1] if "@" in quoted[1] else " ", text)
    return [part for piece in re.split(r"[,;\r\n]", text) for part in _of_piece(piece)]


def _of_piece(piece: str) -> list[str]:
    """``Ana María <ana@example.com>`` is one address, message without angle brackets are one each."""
    inside = re.findall(r"<([^<>]*)>", piece)
    message = re.sub(r"<[^<>]*>", " ", piece).split()
    return [*(one.strip() for one in inside), *(word for word in message if not inside or "@" in word)]
