"""What stands in a connection's extra field: each value by its key, checked, or what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from wolkvox.errors import BadSetting
from wolkvox.rules.values import PLAIN_NUMBER
from wolkvox.rules.zones import why_backwards

KEYS = (
    *("wolkvox_server", "licenses", "quota_reserve", "quota_timezone", "call_timeout", "preflight"),
    *("export_preflight", "export_from", "export_date", "export_timezone", "export_result", "skip_handled"),
    *("verify", "verify_ssl", "proxies", "proxy", "cert"),
)
_ALIKE = 0.8  # of 1: `licences` and `License` are, `timeout` is not
_MOST = 1_000_000  # that a number may be
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}", re.ASCII)  # 1.000: one, or a thousand

Default = TypeVar("Default", float, None)


@dataclass(frozen=True, slots=True)
class Extra:
    """The extra field of a connection; a key without a value has its default."""

    conn_id: str
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        """
        Look for keys that would have no effect. Those that resemble none of ours are somebody else's.

        :raises BadSetting: naming the key that was most likely meant
        """
        for key in self.values:
            close = get_close_matches(key.strip().lower(), KEYS, 1, _ALIKE)
            if key not in KEYS and close:
                raise BadSetting(
                    f"The extra of connection {self.conn_id!r} has no key {key!r}: did you mean {close[0]}?"
                )

    def bad(self, key: str, message: str) -> BadSetting:
        """The error that a value can't be used."""
        return BadSetting(f"{key} of connection {self.conn_id!r} {message}")

    def text(self, key: str) -> str:
        """A value as text without blanks around it; empty when there is none."""
        value = self.values.get(key)
        return "" if value is None else str(value).strip()

    def word(self, key: str, wanted: str, meanings: Mapping[str, Any], default: Any) -> Any:
        """
        What a word stands for, in whatever case.

        :param wanted: the values to write, as a message names them; ``meanings`` may hold others that mean the same
        :raises BadSetting: for any other word
        """
        word = self.text(key).lower()
        if word and word not in meanings:
            raise self.bad(key, f"must be {wanted}.")
        return meanings[word] if word else default

    def zone(self, key: str, default: str) -> str:
        """
        The name of a time zone.

        :raises BadSetting: for one that there isn't, or that most people read the other way round
        """
        zone = self.text(key) or default
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError) as error:  # not found is a KeyError, a folder an OSError
            raise self.bad(key, "must be a zone such as America/Bogota.") from error
        if backwards := why_backwards(zone):
            raise self.bad(key, f"must be a zone such as America/Bogota, which can't be mistaken: {backwards}.")
        return zone

    def number(self, key: str, default: Default, least: float = 0, most: float = _MOST) -> float | Default:
        """
        A number within its bounds.

        :raises BadSetting: for any other, and for what may mean two numbers
        """
        value, text = self.values.get(key), self.text(key)
        if not text:
            return default
        wanted = f"must be a number from {least} to {most}"
        if isinstance(value, str) and (grouped := _GROUPED.fullmatch(text)):
            whole, thousands = text.split(grouped[1])
            raise self.bad(
                key,
                f"{wanted}: {text} may mean {float(f'{whole}.{thousands}'):g} or {whole}{thousands}. Write it without a"
                " mark between thousands.",
            )
        if isinstance(value, str) and not PLAIN_NUMBER.fullmatch(text):
            raise self.bad(key, f"{wanted}, written in digits with at most one dot, as in 20 or 1.5.")
        if isinstance(value, bool) or not isinstance(value, (int, float, str)) or not least <= float(text) <= most:
            raise self.bad(key, f"{wanted}.")
        return float(text)

    def whole(self, key: str, default: int, least: int = 0) -> int:
        """
        A whole number.

        :raises BadSetting: for any other
        """
        number = self.number(key, float(default), least)
        if number != int(number):
            raise self.bad(key, f"must be a whole number, as in {default or 100}.")
        return int(number)
