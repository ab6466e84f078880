"""HTTP to the wolkvox Manager API: one kept-alive connection, one request per record."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from hashlib import blake2b
from http.client import HTTPConnection, HTTPMessage, IncompleteRead
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import requests
from airflow.providers.http.hooks.http import HttpHook
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout
from urllib3 import connection as kept
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from wolkvox.answers import Answer, Kind, classify, unknown, unreachable
from wolkvox.errors import BadSetting, BadToken, QuotaUsedUp, WolkvoxError, WrongEndpoint

if TYPE_CHECKING:
    from types import TracebackType

    from airflow.sdk import Connection

    from wolkvox.codify import Record

CONNECT_TIMEOUT = 5.0  # seconds
CALL_TIMEOUT = 65.0  # seconds: the vendor ends a call after 60 [vendor's page on the codify call], and a margin
CALLS_PER_LICENSE = 1_000  # a day [same page]

_SERVER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,30}")
_SERVER_HOST = re.compile(r"wv([0-9A-Za-z-]+)\.wolkvox\.com", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?P<site>https?://([0-9a-z._-]+|\[[0-9a-f:.]+\]))(:(?P<port>[0-9]{1,5}))?(?P<path>/[0-9a-z._~/-]*)?",
    re.IGNORECASE,
)
_HIGHEST_PORT = 65_535
_COUNT = re.compile(r"\s*-?[0-9]{1,9}\s*", re.ASCII)
_MOST = 1_000_000  # that a number in the connection's extra may be
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What the connection says, checked.

    ``operation`` is the wolkvox server's name and the key of everything the ledger keeps; ``daily_calls`` is
    None when no licences are given; ``call_timeout`` is in seconds; ``token`` never leaves this object but as a
    header.
    """

    base_url: str
    operation: str
    token: str
    daily_calls: int | None
    quota_reserve: int
    quota_timezone: str
    call_timeout: float
    preflight: bool
    check_codes: bool

    @property
    def fingerprint(self) -> int:
        """A signed 32 bit digest of the token: tells tokens apart in the ledger without naming them."""
        return int.from_bytes(blake2b(self.token.encode(), digest_size=4).digest(), "big", signed=True)

    def __repr__(self) -> str:
        return f"Settings({self.base_url}, operation {self.operation})"


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The vendor's own count of today's calls: the operation's limit, its use, and what is left."""

    limit: int | None
    used: int | None
    left: int | None


@dataclass(slots=True)
class _Response:
    """What the pool and the hook need of a response; the last five are the pool's own."""

    status: int
    headers: HTTPMessage
    data: bytes
    version_string: str = "HTTP/1.1"
    length_remaining: int = 0
    retries: Any = None
    _connection: Any = None
    _pool: Any = None


class _Exchange(HTTPConnection):
    """
    A request and its answer as http.client does them, on a connection made, secured and kept by urllib3.

    urllib3's own exchange takes twice the processor time.
    """

    _held: list[bytes] | None = None  # the parts of a request that is being put together

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> None:
        """Send head and body in one packet: each send wakes both sides."""
        self._heed_timeout()
        held = self._held = []
        try:
            HTTPConnection.request(self, method, url, body, headers)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        """Send, or hold what belongs to the request being put together."""
        if self._held is None:
            HTTPConnection.send(self, data)
        else:
            self._held.append(data)

    def getresponse(self) -> Any:
        """The whole answer."""
        self._heed_timeout()
        response = HTTPConnection.getresponse(self)
        return _Response(response.status, response.headers, response.read())

    def _heed_timeout(self) -> None:
        """The pool gives the connection one time to connect and another one to answer."""
        if self.sock is not None:
            self.sock.settimeout(self.timeout)


class _Connection(_Exchange, kept.HTTPConnection):
    """Over TCP."""


class _SecureConnection(_Exchange, kept.HTTPSConnection):
    """Over TLS."""


class WolkvoxHook(HttpHook):
    """
    Talk to the wolkvox Manager API.

    A hook keeps one connection open for its life; close it, or use it as a context manager. The session, with
    proxies, certificates and verification, is HttpHook's; records go straight through the connection pool
    underneath it, which costs half the processor time of a requests call.

    :param wolkvox_conn_id: connection with the address (``https://wv0041.wolkvox.com``) as host and the token as
        password. Extra: ``wolkvox_server``, ``licenses``, ``quota_timezone`` (America/Bogota), ``quota_reserve``
        (0 calls), ``call_timeout`` (65 seconds), ``preflight`` (true: ask for the token's use at the start of a
        run; "codes": check the disposition codes as well; false: neither), ``verify``, ``proxies``, ``cert``
    """

    conn_name_attr = "wolkvox_conn_id"
    default_conn_name = "wolkvox_default"
    conn_type = "wolkvox"
    hook_name = "wolkvox"

    def __init__(self, wolkvox_conn_id: str = default_conn_name) -> None:
        super().__init__(method="PUT", http_conn_id=wolkvox_conn_id)
        self.wolkvox_conn_id = wolkvox_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Labels of the connection form."""
        return {
            "hidden_fields": ["login", "schema"],
            "relabeling": {"host": "Address", "password": "Token"},
            "placeholders": {"host": "https://wv0041.wolkvox.com", "extra": '{"licenses": 20}'},
        }

    @cached_property
    def settings(self) -> Settings:
        """The connection's settings, checked.

        :raises BadSetting: when one is missing or can't be used, saying which
        """
        return read_settings(self.get_connection(self.wolkvox_conn_id))

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """A session as HttpHook makes it, with the token in its headers and none of our settings."""
        session = super().get_conn(None, extra_options)
        session.headers = requests.structures.CaseInsensitiveDict(
            {
                "wolkvox-token": self.settings.token,
                "wolkvox_server": self.settings.operation,
                "Content-Type": "application/json",
                "Accept": "application/json",
                **(headers or {}),
            }
        )
        session.auth = None
        return session

    def _set_base_url(self, connection: Connection) -> None:
        self.base_url = self.settings.base_url
        self._base_url_initialized = True

    @cached_property
    def _session(self) -> requests.Session:
        return self.get_conn()

    @cached_property
    def _pool(self) -> HTTPConnectionPool:
        """The connection pool that requests itself would use for this address."""
        session = self._session
        request = session.prepare_request(requests.Request("GET", self.settings.base_url))
        # The session's own values first: left out, the environment's bundle would win over them.
        options = session.merge_environment_settings(
            request.url, session.proxies, session.stream, session.verify, session.cert
        )
        adapter = session.get_adapter(self.settings.base_url)
        assert isinstance(adapter, HTTPAdapter)
        try:
            pool = cast(
                "HTTPConnectionPool",
                adapter.get_connection_with_tls_context(
                    request, options["verify"], proxies=options["proxies"], cert=options["cert"]
                ),
            )
            adapter.cert_verify(  # type: ignore[no-untyped-call]
                pool, self.settings.base_url, options["verify"], options["cert"]
            )
        except OSError as error:
            raise BadSetting(f"verify, cert or proxies of connection {self.wolkvox_conn_id!r}: {error}.") from error
        # Of this pool alone: the class's own stays as it is.
        pool.ConnectionCls = _SecureConnection if pool.scheme == "https" else _Connection
        self._path = adapter.request_url(request, options["proxies"]).rstrip("/")
        self._headers = dict(request.headers)
        self._timeout = Timeout(connect=CONNECT_TIMEOUT, read=self.settings.call_timeout)
        return pool

    def codify(self, record: Record) -> Answer:
        """Send one record; whatever happens, it comes back as an answer."""
        query = {"api": "codify", "type_campaign": record.type_campaign, "campaign_id": record.campaign_id}
        body = {"cod_act": record.cod_act, "comment": record.comment or "", "customer_id": record.customer_id}
        if record.cod_act_2 is not None:
            body["cod_act_2"] = record.cod_act_2
        return self._call("PUT", "campaign.php", query, json.dumps(body).encode())[0]

    def token_info(self) -> TokenInfo:
        """Today's calls as the vendor counts them. Costs one call.

        :raises BadToken, WrongEndpoint, WolkvoxError: as the vendor answers
        """
        rows = self._read("token_info")
        row = rows[0] if rows else {}
        limit, used = _number(row.get("token_limit")), _number(row.get("all_token_today"))
        options = _number(row.get("available_consumption_options"))
        counted = limit - used if limit is not None and used is not None else None
        known = [left for left in (options, counted) if left is not None]
        return TokenInfo(limit, used, max(0, min(known)) if known else None)

    def activity_codes(self) -> frozenset[str]:
        """The disposition codes of the operation. Costs one call; errors as ``token_info``."""
        return frozenset(str(row["cod_act"]) for row in self._read("activity_codes") if row.get("cod_act"))

    def test_connection(self) -> tuple[bool, str]:
        """Ask for the token's use: one call. Tells the person at the form what is wrong, never the token."""
        try:
            info = self.token_info()
        except WolkvoxError as error:
            return False, str(error)
        finally:
            self.close()
        return True, f"wolkvox answers; calls left today: {'not known' if info.left is None else info.left}"

    def close(self) -> None:
        """Close the connection."""
        if "_session" in self.__dict__:
            self._session.close()

    def __enter__(self) -> WolkvoxHook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, api: str) -> list[dict[str, Any]]:
        """The ``data`` rows of an information call."""
        answer, body = self._call("GET", "information.php", {"api": api}, None)
        if answer.kind is Kind.BAD_TOKEN:
            raise BadToken(
                f"wolkvox refused the token of connection {self.wolkvox_conn_id!r} (code {answer.code}):"
                " put a valid one into its password."
            )
        if answer.kind is Kind.WRONG_ENDPOINT:
            raise WrongEndpoint(
                f"{self.settings.base_url} isn't a wolkvox API (code {answer.code}): correct the host of"
                f" connection {self.wolkvox_conn_id!r}."
            )
        if answer.kind is Kind.QUOTA:
            raise QuotaUsedUp(f"wolkvox gave no {api}: the day's calls are used up (code {answer.code}).")
        document = json.loads(body) if answer.kind is Kind.CODED else {}
        data = document.get("data")
        if not isinstance(data, list):
            raise WolkvoxError(
                f"wolkvox gave no {api} ({answer.reason or 'unreadable'}, code {answer.code}) at"
                f" {self.settings.base_url}."
            )
        return [row for row in data if isinstance(row, dict)]

    def _call(self, method: str, page: str, query: dict[str, str], body: bytes | None) -> tuple[Answer, bytes]:
        """One request on the kept connection: never redirected, never repeated."""
        pool = self._pool
        try:
            response = pool.urlopen(
                method,
                f"{self._path}/api/v2/{page}?{urlencode(query)}",
                body=body,
                headers=self._headers,
                retries=False,
                redirect=False,
                assert_same_host=False,  # through a proxy the path is the whole address
                timeout=self._timeout,
            )
        except HTTPError as error:
            return _broken(error), b""
        return classify(response.status, response.headers, response.data, datetime.now(timezone.utc)), response.data


def _broken(error: HTTPError) -> Answer:
    """Tell a call that never left from one whose answer nobody saw."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason is not None else error
    if isinstance(cause, (NewConnectionError, ProxyError)):  # the first one is a ConnectTimeoutError, too
        return unreachable("refused")
    if isinstance(cause, ConnectTimeoutError):
        return unreachable("timeout")
    detail = cause.args[-1] if cause.args else None
    if isinstance(cause, SSLError) and isinstance(detail, SSLCertVerificationError):
        return unreachable("tls")  # any other TLS error may come after the request has left
    if isinstance(cause, DecodeError):
        return unknown("unreadable")
    if isinstance(cause, ReadTimeoutError):
        return unknown("timeout")
    return unknown("truncated" if isinstance(detail, IncompleteRead) else "reset")


def _number(value: object) -> int | None:
    """The vendor gives numbers as strings; None for what is none, or none the ledger could hold."""
    return int(str(value)) if _COUNT.fullmatch(str(value)) else None


def read_settings(connection: Connection) -> Settings:
    """Check a connection's fields.

    :raises BadSetting: naming the field and what it should be
    """
    name, extra = connection.conn_id, connection.extra_dejson
    if not isinstance(extra, dict):
        raise BadSetting(f'The extra of connection {name!r} must be a JSON object such as {{"licenses": 20}}.')
    if not connection.password:
        raise BadSetting(f"Connection {name!r} has no token: put it into the password field.")
    if not connection.password.isascii() or not connection.password.isprintable():
        raise BadSetting(f"The token of connection {name!r} holds characters that no HTTP header can carry.")
    server = str(extra.get("wolkvox_server") or "")
    if server and not _SERVER.fullmatch(server):
        raise BadSetting(
            f"wolkvox_server of connection {name!r} must be the server's short name, letters and digits as in 0041."
        )
    base_url = _base_url(connection, server)
    parts = urlsplit(base_url)
    if not server:
        match = _SERVER_HOST.fullmatch(parts.hostname or "")
        server = match[1] if match else parts.netloc
    licenses = _setting(name, extra, "licenses", None)
    preflight = extra.get("preflight", True)
    return Settings(
        base_url=base_url,
        operation=server,
        token=connection.password,
        daily_calls=None if licenses is None else int(licenses * CALLS_PER_LICENSE),
        quota_reserve=int(_setting(name, extra, "quota_reserve", 0) or 0),
        quota_timezone=_zone(name, extra),
        call_timeout=_setting(name, extra, "call_timeout", None) or CALL_TIMEOUT,
        preflight=str(preflight).lower() not in ("false", "0", "no", "off"),
        check_codes=preflight == "codes",
    )


def _base_url(connection: Connection, server: str) -> str:
    """The address without a trailing slash: the host as given, else the server's own."""
    host = connection.host or (f"wv{server}.wolkvox.com" if server else "")
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
    if address is None or port > _HIGHEST_PORT:
        raise BadSetting(
            f"The host of connection {connection.conn_id!r} is no plain address: it should look like"
            " https://wv0041.wolkvox.com."
        )
    return f"{address['site']}{f':{port}' if port else ''}{(address['path'] or '').rstrip('/')}"


def _zone(name: str, extra: dict[str, Any]) -> str:
    """The time zone in which a day of calls ends."""
    zone = str(extra.get("quota_timezone") or "America/Bogota")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:  # not found is a KeyError, a folder an OSError
        raise BadSetting(f"quota_timezone of connection {name!r} must be a zone such as America/Bogota.") from error
    return zone


def _setting(name: str, extra: dict[str, Any], key: str, default: float | None) -> float | None:
    """A number of at least 0 from the extra field."""
    value = extra.get(key)
    if value is None or value == "":
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= _MOST:
        raise BadSetting(f"{key} of connection {name!r} must be a number from 0 to {_MOST}.")
    return number
