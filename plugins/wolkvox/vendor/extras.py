"""Keys of a connection's extra that are nearly ours: spelt so, they would have no effect."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from wolkvox.errors import BadSetting

KEYS = (
    *("wolkvox_server", "licenses", "quota_reserve", "quota_timezone", "call_timeout", "preflight"),
    *("export_preflight", "export_from", "export_date", "export_timezone", "export_result", "skip_handled"),
    *("verify", "verify_ssl", "proxies", "proxy", "cert"),
)
_ALIKE = 0.8  # of 1: `licences` and `License` are, `timeout` is not


def refuse_misspelt(conn_id: str, given: Iterable[str]) -> None:
    """
    Refuse keys that are one of ours but for some letters; all others are somebody else's.

    :raises BadSetting: naming the key and the one that was most likely meant
    """
    for key in given:
        close = get_close_matches(key.strip().lower(), KEYS, 1, _ALIKE)
        if key not in KEYS and close:
            raise BadSetting(f"The extra of connection {conn_id!r} has no key {key!r}: did you mean {close[0]}?")
