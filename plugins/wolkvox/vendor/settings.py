"""What a connection says, checked before anything is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from wolkvox.errors import BadSetting
from wolkvox.rules.values import PLAIN_NUMBER, SWITCH
from wolkvox.rules.zones import why_backwards
from wolkvox.vendor.extras import refuse_misspelt

if TYPE_CHECKING:
    from airflow.sdk import Connection

CALL_TIMEOUT = 65.0  # seconds: the vendor ends a request after 60 [vendor's page on the codify call], and a margin
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 1, 600  # seconds that ``call_timeout`` may be
EXPORT_FROM = 1_000  # waiting contacts of a campaign from which on its export costs less than they do
REQUESTS_PER_LICENSE = 1_000  # a day [same page]
TIMEZONE = "America/Bogota"  # of an operation that names none

_SERVER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,30}")
_SERVER_HOST = re.compile(r"wv([0-9A-Za-z-]+)\.wolkvox\.com", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?P<site>https?://([0-9a-z._-]+|\[[0-9a-f:.]+\]))(:(?P<port>[0-9]{1,5}))?(?P<path>/[0-9a-z._~/-]*)?",
    re.IGNORECASE,
)
_HIGHEST_PORT = 65_535
_MOST = 1_000_000  # that a number in the connection's extra may be
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}", re.ASCII)  # 1.000: one, or a thousand
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXIED = ("http", "https", "all", "no_proxy")  # what a proxy may be given for, besides one host
_PROXIES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to reach the address: a session's ``proxies`` by scheme, ``verify`` and ``cert``, as requests takes them."""

    proxies: dict[str, str] = field(default_factory=dict)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What the connection says, checked.

    ``operation`` is the key of everything the ledger keeps, ``server`` the wolkvox server's name; ``daily_requests`` is
    None when no licences are given; ``export_from`` is how many contacts of a campaign must wait for its export to be
    asked for before they are sent, None: never; ``skip_handled`` is whether customers are left out that the dialler is
    through with; ``call_timeout`` is how many seconds the client waits for an answer; ``token`` never leaves this
    object but as a header.

    Of exports, ``export_timezone`` is the zone of their dates, ``dates_are_dials`` whether a date is that of the last
    dial even where it is that of our own request, and ``code_changes_result`` whether codifying changes the result of a
    record that was not dialled.
    """

    conn_id: str
    base_url: str
    server: str
    operation: str
    token: str
    daily_requests: int | None
    quota_reserve: int
    quota_timezone: str
    call_timeout: float
    preflight: bool
    check_codes: bool
    export_from: int | None = None
    export_timezone: str = TIMEZONE
    dates_are_dials: bool = False
    code_changes_result: bool = True
    skip_handled: bool = False
    way: TransportOptions = TransportOptions()

    @property
    def fingerprint(self) -> int:
        """A signed 32 bit digest of the token: tells tokens apart in the ledger without naming them."""
        return int.from_bytes(blake2b(self.token.encode(), digest_size=4).digest(), "big", signed=True)

    @property
    def in_flight_seconds(self) -> float:
        """
        How long a request that nobody waits for may still be in flight at wolkvox.

        That is the vendor's limit and a margin, however short the client's own retry_policy is.
        """
        return max(self.call_timeout, CALL_TIMEOUT)

    @property
    def identity(self) -> int:
        """Likewise of address and token together: what was an outage of another one is none of this one."""
        told = f"{self.base_url} {self.token}".encode()
        return int.from_bytes(blake2b(told, digest_size=4).digest(), "big", signed=True)

    def __repr__(self) -> str:
        return f"Settings({self.base_url}, operation {self.operation})"


def read_settings(connection: Connection, operation: str | None = None, timezone: str = TIMEZONE) -> Settings:
    """Check a connection's fields.

    :param operation: the name under which the ledger keeps its records; None: the server's
    :param timezone: the operation's, in which exports are written where the connection names no other one
    :raises BadSetting: naming the field and what it should be
    """
    name, extra = connection.conn_id, connection.extra_dejson
    if not isinstance(extra, dict):
        raise BadSetting(f'The extra of connection {name!r} must be a JSON object such as {{"licenses": 20}}.')
    refuse_misspelt(name, extra)
    token = (connection.password or "").strip()  # pasted with a blank, it would be another token to the ledger
    if not token:
        raise BadSetting(f"Connection {name!r} has no token: put it into the password field.")
    if token[0] == token[-1] and token[0] in "\"'":
        raise BadSetting(f"The token of connection {name!r} is in quotes: write it without them.")
    if not token.isascii() or not token.isprintable():
        raise BadSetting(f"The token of connection {name!r} holds characters that no HTTP header can carry.")
    if isinstance(extra.get("wolkvox_server"), (int, float)):
        raise BadSetting(
            f"wolkvox_server of connection {name!r} arrived as a number, which has lost its leading zeros: write it in"
            ' quotes, as in "0041".'
        )
    server = str(extra.get("wolkvox_server") or "").strip()
    if server and not _SERVER.fullmatch(server):
        raise BadSetting(
            f"wolkvox_server of connection {name!r} must be the server's short name, letters and digits as in 0041."
        )
    base_url = _base_url(connection, server)
    parts = urlsplit(base_url)
    match = _SERVER_HOST.fullmatch(parts.hostname or "")
    if server and match and match[1].lower() != server.lower():
        raise BadSetting(
            f"Connection {name!r} contradicts itself: its host is server {match[1]}, its wolkvox_server {server}. Leave"
            " one of them out, or make them the same: the ledger keeps each operation's records by it."
        )
    server = server or (match[1] if match else parts.netloc)
    licenses = _setting(name, extra, "licenses", None)
    daily_requests = None if licenses is None else int(licenses * REQUESTS_PER_LICENSE)
    reserve = _whole(name, extra, "quota_reserve", 0)
    if daily_requests is not None and 0 < reserve >= daily_requests:
        raise BadSetting(
            f"quota_reserve of connection {name!r} keeps {reserve} requests a day back, and the licences allow"
            f" {daily_requests}: nothing could ever be sent. Lower quota_reserve, or correct licenses."
        )
    preflight = _one_of(name, extra, "preflight", "true, false or codes", {**SWITCH, "codes": "codes"}, True)
    return Settings(
        conn_id=name,
        base_url=base_url,
        server=server,
        operation=operation or server,
        token=token,
        daily_requests=daily_requests,
        quota_reserve=reserve,
        quota_timezone=_zone(name, extra, "quota_timezone", TIMEZONE),
        call_timeout=_setting(name, extra, "call_timeout", CALL_TIMEOUT, SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
        or CALL_TIMEOUT,
        preflight=bool(preflight),
        check_codes=preflight == "codes",
        export_from=_export_from(name, extra),
        export_timezone=_zone(name, extra, "export_timezone", timezone),
        dates_are_dials=_one_of(name, extra, "export_date", "dial or change", {"dial": True, "change": False}, False),
        code_changes_result=_one_of(
            name, extra, "export_result", "change or keep", {"change": True, "keep": False}, True
        ),
        skip_handled=_one_of(name, extra, "skip_handled", "true or false", SWITCH, False),
        way=TransportOptions(
            _read_proxies(name, extra.get("proxies", extra.get("proxy"))),
            _read_verify(name, extra.get("verify", extra.get("verify_ssl"))),
            _read_cert(name, extra.get("cert")),
        ),
    )


def _read_proxies(name: str, told: Any) -> dict[str, str]:
    """By scheme; one address alone, as a connection given as a URI has it, is meant for all. Its login stays here."""
    told = _from_text(told)
    proxies = {"http": told, "https": told} if isinstance(told, str) else told or {}
    if isinstance(proxies, dict):
        proxies = {str(scheme).strip().lower(): value for scheme, value in proxies.items()}
    if not isinstance(proxies, dict) or not all(isinstance(value, str) for value in proxies.values()):
        raise BadSetting(
            f'proxies of connection {name!r} must be an address or an object such as {{"https": "http://proxy:3128"}}.'
        )
    wrong = [scheme for scheme in proxies if scheme not in _PROXIED and "://" not in scheme]
    if wrong:
        raise BadSetting(
            f"proxies of connection {name!r} has the key {wrong[0]!r}, which nothing goes by: use http and https."
        )
    for proxy in filter(None, proxies.values()):
        try:
            url = parse_url(proxy if "://" in proxy else f"http://{proxy}")
        except LocationParseError:
            url = None
        if url is None or not url.host or url.scheme not in _PROXIES:
            raise BadSetting(
                f"proxies of connection {name!r} holds what is no proxy's address: it should look like"
                " http://proxy:3128, http://login:password@proxy:3128 or socks5h://proxy:1080."
            )
    return {scheme: proxy for scheme, proxy in proxies.items() if proxy}


def _read_verify(name: str, told: Any) -> bool | str:
    """True and False, which a URI spells as text, or the path of the certificates to trust."""
    if told is None or told == "":
        return True
    if isinstance(told, (bool, int)):
        return bool(told)
    if not isinstance(told, str):
        raise BadSetting(f"verify of connection {name!r} must be true, false or the path of a file of certificates.")
    word = told.strip()
    if word.lower() in SWITCH:
        return SWITCH[word.lower()]
    if word.isalnum():
        raise BadSetting(f"verify of connection {name!r} must be true, false or the path of a file of certificates.")
    return word


def _read_cert(name: str, told: Any) -> str | tuple[str, str] | None:
    """The path of a client's certificate, or two: the certificate's and its key's."""
    told = _from_text(told)
    if told is None or told == "" or isinstance(told, str):
        return told or None
    if isinstance(told, list) and len(told) == 2 and all(isinstance(path, str) for path in told):
        return told[0], told[1]
    raise BadSetting(f"cert of connection {name!r} must be a file, or a list of two: the certificate and its key.")


def _from_text(told: Any) -> Any:
    """What a text holds, if that is JSON: a connection given as a URI can carry nothing but text."""
    if isinstance(told, str) and told.lstrip().startswith(("{", "[", '"')):
        try:
            return json.loads(told)
        except ValueError:
            return told
    return told


def _base_url(connection: Connection, server: str) -> str:
    """The address without a trailing slash: the host as given, else the server's own."""
    host = (connection.host or "").strip() or (f"wv{server}.wolkvox.com" if server else "")
    if not host:
        raise BadSetting(
            f"Connection {connection.conn_id!r} has no address: give the host, https://wv0041.wolkvox.com for instance."
        )
    if "://" not in host:
        bare = host.partition(":")[0]
        scheme = connection.schema or ("http" if bare in _LOOPBACK else "https")
        host = f"{scheme}://{host}"
    address = _ADDRESS.fullmatch(host)
    port = int((address and address["port"]) or connection.port or 0)
    if address is None or port > _HIGHEST_PORT or urlsplit(host).hostname in ("http", "https"):  # https//wv0041…
        raise BadSetting(
            f"The host of connection {connection.conn_id!r} is no plain address: it should look like"
            " https://wv0041.wolkvox.com."
        )
    return f"{address['site']}{f':{port}' if port else ''}{(address['path'] or '').rstrip('/')}"


def _export_from(name: str, extra: dict[str, Any]) -> int | None:
    """From how many waiting contacts of a campaign on its export is asked for before they are sent."""
    mode = _one_of(name, extra, "export_preflight", "off, on or auto", {**SWITCH, "auto": "auto"}, False)
    if mode == "auto":
        return _whole(name, extra, "export_from", EXPORT_FROM, 1)
    return 1 if mode else None


def _one_of(name: str, extra: dict[str, Any], key: str, wanted: str, message: Mapping[str, Any], default: Any) -> Any:
    """
    What a word of the extra field stands for, in whatever case and with blanks around it.

    :param wanted: the message to write, as a message names them; ``message`` may hold others that mean the same
    """
    value = extra.get(key)
    word = "" if value is None else str(value).strip().lower()
    if word and word not in message:
        raise BadSetting(f"{key} of connection {name!r} must be {wanted}.")
    return message[word] if word else default


def _zone(name: str, extra: dict[str, Any], key: str, default: str) -> str:
    """A time zone that can't be mistaken."""
    zone = str(extra.get(key) or "").strip() or default
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:  # not found is a KeyError, a folder an OSError
        raise BadSetting(f"{key} of connection {name!r} must be a zone such as America/Bogota.") from error
    if backwards := why_backwards(zone):
        raise BadSetting(
            f"{key} of connection {name!r} must be a zone such as America/Bogota, which can't be mistaken: {backwards}."
        )
    return zone


def _setting(
    name: str, extra: dict[str, Any], key: str, default: float | None, least: float = 0, most: float = _MOST
) -> float | None:
    """A number of the extra field, within its bounds."""
    value = extra.get(key)
    text = "" if value is None else str(value).strip()
    if not text:
        return default
    wanted = f"{key} of connection {name!r} must be a number from {least} to {most}"
    if isinstance(value, str) and _GROUPED.fullmatch(text):
        readings = text.replace(",", "."), re.sub("[.,]", "", text)
        raise BadSetting(
            f"{wanted}: {text} may mean {float(readings[0]):g} or {readings[1]}. Write it without a mark between"
            " thousands."
        )
    if isinstance(value, str) and not PLAIN_NUMBER.fullmatch(text):
        raise BadSetting(f"{wanted}, written in digits with at most one dot, as in 20 or 1.5.")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or not least <= float(text) <= most:
        raise BadSetting(f"{wanted}.")
    return float(text)


def _whole(name: str, extra: dict[str, Any], key: str, default: int, least: int = 0) -> int:
    """A number of the extra field that is one of whole things."""
    number = _setting(name, extra, key, default, least)
    if number is None or number != int(number):
        raise BadSetting(f"{key} of connection {name!r} must be a whole number, as in {default or 100}.")
    return int(number)
