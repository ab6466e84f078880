"""How requests reach the address: proxies and certificates, as the connection's extra field has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from wolkvox.rules.values import SWITCH
from wolkvox.vendor.extras import Extra

_PROXIED = ("http", "https", "all", "no_proxy")  # what a proxy may be given for, besides one host
_PROXIES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_LIKE = "http://proxy:3128, http://login:password@proxy:3128 or socks5h://proxy:1080"


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """A session's ``proxies`` by scheme, ``verify`` and ``cert``, as requests takes them."""

    proxies: dict[str, str] = field(default_factory=dict)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None


def read_transport(extra: Extra) -> TransportOptions:
    """
    Check proxies and certificates. No message repeats a value: it may hold a password.

    :raises BadSetting: naming the key and what it should be
    """
    return TransportOptions(_proxies(extra), _verify(extra), _cert(extra))


def _proxies(extra: Extra) -> dict[str, str]:
    """The address of a proxy by scheme."""
    proxies = _by_scheme(extra)
    for scheme, proxy in proxies.items():
        if scheme not in _PROXIED and "://" not in scheme:
            raise extra.bad("proxies", f"has the key {scheme!r}, which nothing goes by: use http and https.")
        if proxy and not _is_proxy(proxy):
            raise extra.bad("proxies", f"holds what is no proxy's address: it should look like {_LIKE}.")
    return {scheme: proxy for scheme, proxy in proxies.items() if proxy}


def _by_scheme(extra: Extra) -> dict[str, str]:
    """The values by scheme in small letters; one alone, as a connection given as a URI has it, is meant for all."""
    value = _from_json(extra.values.get("proxies", extra.values.get("proxy"))) or {}
    proxies = {"http": value, "https": value} if isinstance(value, str) else value
    if not isinstance(proxies, dict) or not all(isinstance(proxy, str) for proxy in proxies.values()):
        raise extra.bad("proxies", 'must be an address or an object such as {"https": "http://proxy:3128"}.')
    return {str(scheme).strip().lower(): proxy for scheme, proxy in proxies.items()}


def _is_proxy(address: str) -> bool:
    try:
        url = parse_url(address if "://" in address else f"http://{address}")
    except LocationParseError:
        return False
    return bool(url.host) and url.scheme in _PROXIES


def _verify(extra: Extra) -> bool | str:
    """True and False, which a URI spells as text, or the path of the certificates to trust."""
    value = extra.values.get("verify", extra.values.get("verify_ssl"))
    if value is None or isinstance(value, (bool, int)):
        return value is None or bool(value)
    word = value.strip() if isinstance(value, str) else None
    if word is None or (word.isalnum() and word.lower() not in SWITCH):
        raise extra.bad("verify", "must be true, false or the path of a file of certificates.")
    return SWITCH.get(word.lower(), word or True)


def _cert(extra: Extra) -> str | tuple[str, str] | None:
    """The path of a client's certificate, or two: the certificate's and its key's."""
    value = _from_json(extra.values.get("cert"))
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, list) and len(value) == 2 and all(isinstance(path, str) for path in value):
        return value[0], value[1]
    raise extra.bad("cert", "must be a file, or a list of two: the certificate and its key.")


def _from_json(value: Any) -> Any:
    """What a text holds, if that is JSON: a connection given as a URI can carry nothing but text."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[", '"')):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
