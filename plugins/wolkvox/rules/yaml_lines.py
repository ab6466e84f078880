"""Read a YAML file: its values as they are written, and the line of each, for messages that people can follow. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from wolkvox.rules.mistakes import Mistake, Place, cut
from wolkvox.rules.values import SWITCH
from wolkvox.rules.yaml_parts import root_of

_TEMPLATE = "x-"  # a key at the top level that begins so is only there to be merged by others
_DEEPEST = 10  # levels of keys, items and merges
_MOST = 100_000  # keys and items, each as often as an alias repeats it
_MERGE = "<<"
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)  # 1.440: one and a half, or a day's minutes
_EXPONENT = re.compile(r"[-+]?([0-9_]+e[-+]?|[0-9_.]+e)[0-9]+", re.IGNORECASE)  # 1e5 is a text
_PLAIN_NUMBER = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Misread:
    """
    A number or date that people may read otherwise than YAML does: no value, but what a message shows of it.

    To YAML, 010 is 8 and 1:30 is 90; and 1.440 may be meant for a thousand and some.
    """

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(slots=True)
class Document:
    """
    What a file says, as far as it can be read.

    The keys of ``value`` are texts as they are written. ``lines`` has the line of each key and item.
    """

    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def mistake(self, place: Place, message: str) -> Mistake:
        """A mistake in the line of its key, or of the nearest key above it that the file has."""
        nearest = (place[:size] for size in range(len(place), -1, -1))
        return Mistake(next((self.lines[one] for one in nearest if one in self.lines), 1), place, message)


def read_yaml(text: str) -> Document:
    """
    Read a file's values; where it is no YAML, those of its parts that are.

    A part begins with a key in a line's first column. Parts whose key begins with ``x-`` are left out.
    """
    document = Document()
    root = root_of(text, document.mistakes)
    if root is not None:
        document.lines[()] = _line(root)
        document.value = _value(document, root, (), 0)
    return document


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _value(document: Document, node: Node, place: Place, depth: int) -> Any:
    """A node's value; its lines and mistakes are added to what was read."""
    try:
        if depth > _DEEPEST or len(document.lines) > _MOST:
            raise ValueError("this is nested too deeply, or within itself")
        if isinstance(node, MappingNode):
            return _mapping(document, node, place, depth)
        return _sequence(document, node, place, depth) if isinstance(node, SequenceNode) else _scalar(node)
    except ValueError as error:
        message = f"{cut(str(error))}: write a plain text or number, in quotes if need be."
        document.mistakes.append(Mistake(_line(node), place, message))
        return None


def _mapping(document: Document, node: Node, place: Place, depth: int) -> dict[str, Any]:
    pairs = _pairs(document, node, place, depth)
    wanted = [key for key in pairs if place or not key.startswith(_TEMPLATE)]
    document.lines.update({(*place, key): pairs[key][0] for key in wanted})
    return {key: _value(document, pairs[key][1], (*place, key), depth + 1) for key in wanted}


def _sequence(document: Document, node: Node, place: Place, depth: int) -> list[Any]:
    places = [(*place, str(number)) for number in range(len(node.value))]
    document.lines.update(zip(places, map(_line, node.value), strict=True))
    return [_value(document, item, at, depth + 1) for at, item in zip(places, node.value, strict=True)]


def _pairs(document: Document, node: Node, place: Place, depth: int) -> dict[str, tuple[int, Node]]:
    """The keys of a mapping with their lines and values: its own, then those that it merges and has not itself."""
    pairs: dict[str, tuple[int, Node]] = {}
    for key, value in node.value:
        name, line = key.value if isinstance(key, ScalarNode) else "?", _line(key)
        if name in pairs:
            message = f"this key is there twice, first in line {pairs[name][0]}: leave one of the two out or rename it."
            document.mistakes.append(Mistake(line, (*place, name), message))
        pairs[name] = (line, value)
    if _MERGE not in pairs:
        return pairs
    line, merged = pairs.pop(_MERGE)
    for other in merged.value if isinstance(merged, SequenceNode) else [merged]:
        if isinstance(other, MappingNode) and depth < _DEEPEST:
            pairs = {**_pairs(document, other, place, depth + 1), **pairs}
        else:
            message = "only the keys of an anchor can be merged, as in `<<: *common`, and not into themselves."
            document.mistakes.append(Mistake(line, (*place, _MERGE), message))
    return pairs


def _scalar(node: Node) -> Any:
    """
    A text, number, truth value, date or None.

    :raises ValueError: for a date that there isn't, and for a tag
    """
    text, kind = node.value, str(node.tag).rpartition(":")[2]
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return SWITCH.get(text.lower(), text)
    if kind == "timestamp":
        return date.fromisoformat(text) if len(text) == len("2026-12-24") else Misread(text)
    if kind in ("int", "float"):
        return text if _EXPONENT.fullmatch(text) else _number(text)
    raise ValueError(f"the tag {node.tag} can't be read")


def _number(text: str) -> int | float | Misread:
    if _GROUPED.fullmatch(text):
        return Misread(f"{text} (which may mean {float(text):g} or {text.replace('.', '')})")
    if not _PLAIN_NUMBER.fullmatch(text):
        return Misread(text)
    return float(text) if "." in text else int(text)
