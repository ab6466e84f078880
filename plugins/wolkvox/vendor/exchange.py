"""One request and its answer on a kept-alive connection, and what a broken exchange means."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, IncompleteRead
from ssl import SSLCertVerificationError
from typing import Any

from urllib3 import HTTPConnectionPool
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

from wolkvox.rules.answers import Answer, unknown, unreachable


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


def use_plain_exchange(pool: HTTPConnectionPool) -> None:
    """Let this pool's connections, and no other's, do requests and answers as http.client does them."""
    pool.ConnectionCls = _SecureConnection if pool.scheme == "https" else _Connection


def broken(error: HTTPError) -> Answer:
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
