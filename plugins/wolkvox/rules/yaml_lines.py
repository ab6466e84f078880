"""A YAML file's values with the line of each, for messages that people can follow. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

NOTHING = "tag:yaml.org,2002:null"
_MOST = 60  # characters of a value that a message repeats
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)  # 1.440: one and a half, or a day's minutes
_PLAIN_NUMBER = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Misread:
    """
    A number that isn't written as people write numbers: no value, but what a message shows of it.

    To YAML 1.1, 010 is 8 and 1:30 is 90; and 1.440 may be meant for a thousand and some.
    """

    text: str

    def __repr__(self) -> str:
        return self.text


class Loader(yaml.SafeLoader):
    """YAML in which a number is digits with at most one dot."""


def _number(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    text = str(node.value)
    if _GROUPED.fullmatch(text):
        return Misread(f"{text} (which may mean {float(text):g} or {text.replace('.', '')})")
    if not _PLAIN_NUMBER.fullmatch(text):
        return Misread(text)
    return float(text) if "." in text else int(text)


Loader.add_constructor("tag:yaml.org,2002:int", _number)
Loader.add_constructor("tag:yaml.org,2002:float", _number)


def line_of(error: yaml.YAMLError) -> int:
    """How many lines are above what can't be read."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return 0 if mark is None else int(mark.line)


def why_no_yaml(error: yaml.YAMLError) -> str:
    """Why a text is no YAML, and what to look for."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read"
    return (
        f"this is no YAML ({problem}): look for a quote or a bracket that isn't closed, a tab, a line that begins too"
        " far to the left or right, a colon without a blank after it."
    )


def keys(node: yaml.Node, above: int = 0, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """The keys below a node with their lines, those of nested ones too; an item of a list has its place as a key."""
    if len(path) == 3:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, above + key.start_mark.line + 1
            yield from keys(value, above, here)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            here = (*path, str(place))
            yield here, above + value.start_mark.line + 1
            yield from keys(value, above, here)


def as_written(loader: Loader, node: yaml.Node) -> Any:
    """What a node says; its keys as they are written: to YAML, ``on`` and ``1`` are no texts."""
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node, deep=True)
    loader.flatten_mapping(node)
    return {str(key.value): loader.construct_object(value, deep=True) for key, value in node.value}


def shortened(value: object) -> str:
    """A value as it was read, in a few message."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def cant_be_used(error: Any, wanted: str | None) -> str:
    """What pydantic found wrong with a value, why where that is known, and what to write instead."""
    why = str(error.get("ctx", {}).get("error", ""))
    return f"{shortened(error['input'])} can't be used{f' ({why})' if why else ''}: give {wanted}."
