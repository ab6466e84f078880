"""The page's words in its two languages, from the same files that the browser reads."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es")
FLAWS = (
    "missing",
    "not_digits",
    "not_text",
    "too_long",
    "not_whole",
    "control_characters",
    "not_an_id",
    "placeholder",
    "not_a_code",
    "unreadable",
    "out_of_range",
)
_STATUS = re.compile(r"_\d{3}$")  # of HTTP: reasons that end in one are explained alike


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        path = Path(__file__).parent / "static" / f"words.{language}.json"
        self._words: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, its places filled."""
        text = self._words[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def reason(self, reason: str) -> str:
        """A reason in one plain sentence; the bare reason when there is none."""
        for key in (reason, _STATUS.sub("", reason)):
            if f"reason.{key}" in self._words:
                return self._words[f"reason.{key}"]
        for flaw in FLAWS:
            if reason.endswith(f"_{flaw}"):
                return self(f"flaw.{flaw}", field=reason.removesuffix(f"_{flaw}"))
        return reason


@cache
def words(language: str) -> Words:
    """The words of ``language``, English for what isn't one of ``LANGUAGES``."""
    return Words(language if language in LANGUAGES else "en")
