"""What is wrong in a file that people write: where, and what to write instead. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Place = tuple[str, ...]  # a key and all keys above it, the outermost first; an item of a list counts from 0

_LONGEST = 60  # characters of what a person wrote that a message repeats


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake: its line (the first is 1), its key, and in ``message`` what is wrong and what to do."""

    line: int
    place: Place
    message: str

    def __str__(self) -> str:
        return f"line {self.line}{', ' if self.place else ''}{self.key}: {self.message}"

    @property
    def key(self) -> str:
        """The key with those above it, as ``sales.pool``; empty when the mistake is the whole file's."""
        return cut(".".join(self.place))


class Unreadable(ValueError):
    """A file or an entry can't be used; ``mistakes`` has all that is wrong."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(" ".join(map(str, mistakes)))
        self.mistakes = mistakes


def cut(text: str) -> str:
    """The text, or its beginning and an ellipsis: a message repeats only a short piece of a value."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def shortened(value: object) -> str:
    """A value as a message shows it: texts in quotes, at most 60 characters."""
    return "nothing" if value is None else cut(repr(value))
