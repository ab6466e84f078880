"""Find the parts of a text that are YAML: one that is none takes no other down. Pure."""

from __future__ import annotations

import re
from itertools import accumulate

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import MappingStartEvent, ScalarEvent
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from wolkvox.rules.mistakes import Mistake, cut

_PART = re.compile(r"^(?=[^\s#\-.%])", re.MULTILINE)  # a key in a line's first column begins a part
_HEAD = re.compile(r"[\w-]+(?=\s*:)")
_DEEPEST = 20  # levels of brackets and keys


def root_of(text: str, mistakes: list[Mistake]) -> Node | None:
    """The outermost node without the parts that can't be read, whose mistakes are added; None when nothing is left."""
    while True:
        try:
            root: Node | None = _yaml().compose(text)
            return root
        except YAMLError as error:
            text = _without(text, error, mistakes)


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)  # the pure one: the other has no numbers as they are written
    yaml.version = (1, 1)  # on, off, yes and no are true and false
    yaml.max_depth = _DEEPEST
    yaml.composer.warn_double_anchors = False
    return yaml


def _without(text: str, error: YAMLError, mistakes: list[Mistake]) -> str:
    """The text with blank lines for the parts that can't be read: those with a fault, or else the error's own."""
    parts = _PART.split(text)
    above = [0, *accumulate(part.count("\n") for part in parts)]
    faults = {number: fault for number, part in enumerate(parts) if (fault := _fault("\n" * above[number] + part))}
    for number, (line, message) in (faults or {_part_of(error, text, parts, above): _why(text, error)}).items():
        head = _HEAD.match(parts[number])
        mistakes.append(Mistake(line, (head[0],) if head else (), message))
        parts[number] = "\n" * parts[number].count("\n")
    return "".join(parts)


def _part_of(error: YAMLError, text: str, parts: list[str], above: list[int]) -> int:
    """The number of the part with an error's line, or of the nearest one before it that isn't blank."""
    line, _ = _why(text, error)
    filled = [number for number, part in enumerate(parts) if part.strip()]
    return max((number for number in filled if above[number] < line), default=filled[0])


def _fault(part: str) -> tuple[int, str] | None:
    """The line of what keeps a part from being keys and values, and what to do; None when nothing does."""
    try:
        events = list(_yaml().parse(part))
    except YAMLError as error:
        return _why(part, error)
    first, key = (*events[2:4], None, None)[:2]  # before them, the stream and the document begin
    if first is None or (isinstance(first, ScalarEvent) and not first.value and not first.style):
        return None  # nothing but comments
    if isinstance(first, MappingStartEvent) and key.start_mark.column == 0:
        return None
    return first.start_mark.line + 1, "a key in the first column, and a colon, must come before what it holds."


def _why(text: str, error: YAMLError) -> tuple[int, str]:
    """The line of what is no YAML, why it is none, and what to look for."""
    if isinstance(error, ReaderError):
        above, problem = text.count("\n", 0, error.position), error.reason
    else:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        above, problem = mark.line if mark else 0, getattr(error, "problem", None) or "it can't be read"
    return above + 1, (
        f"this is no YAML ({cut(problem)}): look for a quote or a bracket that isn't closed, a tab, a line that begins"
        " too far to the left or right, a colon without a blank after it."
    )
