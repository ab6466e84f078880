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
    """``usable`` addresses, each once and in their order, and texts that are no address."""

    usable: list[str] = field(default_factory=list)
    left_aside: list[str] = field(default_factory=list)


def read_addresses(*texts: str) -> Addresses:
    """
    Return the addresses in texts, separated by commas, semicolons, line feeds or blanks, or a JSON list.

    ``Ana <ana@example.com>`` and ``"Pérez, Ana" <ana@example.com>`` are addresses too.
    """
    addresses = Addresses()
    seen = set()
    for written in (part for text in texts for part in _written(text)):
        address = written.strip("[]'\"").removeprefix("mailto:")
        if not address or address.lower() in seen:
            continue
        seen.add(address.lower())
        usable = len(address) <= LONGEST and address.isprintable() and _ADDRESS.fullmatch(address)
        (addresses.usable if usable else addresses.left_aside).append(address)
    return addresses


def _written(text: str) -> Iterable[str]:
    """Return the parts of a text, each of which may be an address."""
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
    """Return one address for ``Ana María <ana@example.com>``, and one for each word without angle brackets."""
    inside = re.findall(r"<([^<>]*)>", piece)
    others = re.sub(r"<[^<>]*>", " ", piece).split()
    return [*(one.strip() for one in inside), *(part for part in others if not inside or "@" in part)]
