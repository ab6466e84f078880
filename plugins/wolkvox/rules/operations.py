"""Read ``operations.yaml``: one operation an entry, or where it is wrong and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wolkvox.rules.mistakes import Mistake, Unreadable, shortened
from wolkvox.rules.operation import NAME, Entry, Operation, own_names, usual
from wolkvox.rules.protection import read_protection
from wolkvox.rules.validation import validated
from wolkvox.rules.yaml_lines import Document, read_yaml

_NAME = re.compile(NAME)

Reader = Callable[[str], str | None]  # returns the text of a file that an entry names, None when there is none


@dataclass(frozen=True, slots=True)
class Operations:
    """What a file says, and what is wrong in it: an entry with a mistake is among ``all`` too, refused."""

    all: list[Operation] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def read_operations(text: str, read: Reader) -> Operations:
    """Return each entry's operation, whatever is wrong with the others; the built-in one when there is no entry."""
    document = read_yaml(text)
    entries = {} if document.value is None else document.value
    if not isinstance(entries, dict):
        message = "an operation's name and a colon must come first, as in `sales:`, and its keys below it, indented."
        return Operations([], [document.mistake((), message)])
    if not entries and not document.mistakes:
        return Operations([usual()])
    result = Operations()
    by_name: dict[str, list[Mistake]] = {name: [] for name in entries}
    for mistake in document.mistakes:
        by_name.setdefault("".join(mistake.place[:1]), []).append(mistake)
    for name, mistakes in by_name.items():
        if _NAME.fullmatch(name):
            result.all.append(_operation(document, name, read, mistakes))
        elif name in entries:
            mistakes.append(_bad_name(document, name))
        result.mistakes.extend(mistakes)
    result.mistakes.sort(key=lambda mistake: mistake.line)
    return result


def _bad_name(document: Document, name: str) -> Mistake:
    message = (
        f"{shortened(name)} is no name for an operation: write small letters, digits and _, a letter first, at most 31,"
        " as in `sales:`."
    )
    return Mistake(document.lines[name,], (), message)


def _operation(document: Document, name: str, read: Reader, mistakes: list[Mistake]) -> Operation:
    """An entry's operation, refused where there are mistakes; those of its values are added."""
    try:
        operation = _checked(document, name, read) if (name,) in document.lines else usual(name)
    except Unreadable as error:
        mistakes += error.mistakes
    return usual(name, " ".join(f"operations.yaml {mistake}" for mistake in mistakes)) if mistakes else operation


def _checked(document: Document, name: str, read: Reader) -> Operation:
    """
    The operation that an entry's values describe.

    :raises Unreadable: with all that is wrong in them
    """
    entry = validated(Entry, document, (name,), _values(document, name), own_names(name))
    files = {key: file for key, file in (("sql", entry.sql), ("protection", entry.protection)) if file}
    texts = {key: read(file) for key, file in files.items()}
    mistakes = [
        document.mistake((name, key), f"there is no file {file}: put it there, below include/ or in the DAGs' folder.")
        for key, file in files.items()
        if texts[key] is None
    ]
    try:
        rules = texts.get("protection")
        protects = None if rules is None else read_protection(rules)
    except Unreadable as error:
        mistakes += [document.mistake((name, "protection"), f"{entry.protection}, {one}") for one in error.mistakes]
    if mistakes:
        raise Unreadable(mistakes)
    return Operation.model_construct(name=name, protects=protects, **dict(entry))


def _values(document: Document, name: str) -> dict[str, Any]:
    values = {} if document.value[name] is None else document.value[name]
    if isinstance(values, dict):
        return values
    message = (
        f"{shortened(values)} says nothing of it: write its keys below the name, indented, one a line, as in"
        " `pool: wolkvox`."
    )
    raise Unreadable([document.mistake((name,), message)])
