"""The page's dictionary in its two languages, from the same files that the browser reads."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "es")
INVALID = "invalid."  # keys of sentences about a column that can't be sent as it is
_STATUS = re.compile(r"_\d{3}$")  # of HTTP: reasons that end in one are explained alike


class Dictionary:
    """The dictionary of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        path = Path(__file__).parent / "static" / f"dictionary.{language}.json"
        self._texts: dict[str, str | dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, its places filled; of a text with several forms, the one that fits ``number``."""
        text = self._texts[key]
        if not isinstance(text, str):  # in both languages, CLDR knows no other category of whole numbers of our size
            text = text["one" if values.get("number") == 1 else "other"]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def reason(self, reason: str) -> str:
        """A reason in one plain sentence; the bare reason when there is none."""
        for key in (reason, _STATUS.sub("", reason)):
            if f"reason.{key}" in self._texts:
                return self(f"reason.{key}")
        for kind in (key.removeprefix(INVALID) for key in self._texts if key.startswith(INVALID)):
            if reason.endswith(f"_{kind}"):
                return self(f"{INVALID}{kind}", field=reason.removesuffix(f"_{kind}"))
        return reason


@cache
def dictionary(language: str) -> Dictionary:
    """The dictionary of ``language``, English for what isn't one of ``LANGUAGES``."""
    return Dictionary(language if language in LANGUAGES else "en")
