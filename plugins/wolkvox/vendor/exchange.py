"""One request and its answer on a kept-alive connection, and what a broken exchange means."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, HTTPResponse, IncompleteRead
from io import BufferedReader, RawIOBase
from socket import SocketIO, socket
from ssl import SSLCertVerificationError
from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from wolkvox.rules.answers import Answer, read_document, unknown, unreachable

# Seconds without a request after which a connection isn't used again: servers end it after five (Apache's default), and
# what translates addresses on the way may have forgotten it. A request in that instant would end unknown.
LONGEST_IDLE = 2.0
LONGEST_LINE = 65_536  # bytes of a header
MOST_BYTES = 1_048_576  # that are read of an answer's body, and unpacked of it: answers to records have some hundred
_PIECE = 65_536  # bytes read at once of a body whose length isn't given, or too large
_GZIP = b"\x1f\x8b"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


@dataclass(slots=True)
class _Response:
    """What the pool and its user need of a response; the last five are the pool's own."""

    status: int
    headers: HTTPMessage
    data: bytes
    version_string: str = "HTTP/1.1"
    length_remaining: int = 0
    retries: Any = None
    _connection: Any = None
    _pool: Any = None


class _Until(RawIOBase):
    """What a socket receives until a deadline: a server that sends a byte now and then can't prolong it."""

    def __init__(self, sock: socket, seconds: float | None) -> None:
        self._sock = sock
        self._raw: SocketIO = sock.makefile("rb", buffering=0)  # keeps the socket open
        self._end = None if seconds is None else time.monotonic() + seconds
        self.whole = False  # nothing more is to come

    def makefile(self, _: str) -> _Received:
        """What http.client asks a socket for."""
        return _Received(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.whole:
            return 0
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Received(BufferedReader):
    """What was received and not read yet; ``more``: something came after the end of the answer."""

    more = False

    def close(self) -> None:
        if not self.closed:
            self.raw.whole = True  # type: ignore[attr-defined]  # so that looking doesn't wait
            self.more = bool(self.peek(1))
        super().close()


class _Reply(HTTPResponse):
    """An answer that has to be complete after so many seconds, interim ones before it left out."""

    def __init__(self, sock: socket, seconds: float | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Until(sock, seconds), *args, **kwargs)  # type: ignore[arg-type]  # of which it makes a file
        self.received: _Received = self.fp  # type: ignore[assignment]

    def _read_status(self) -> tuple[str, int, str]:
        """The final status: http.client itself skips 100 alone, and takes 102 and 103 for the answer."""
        while True:
            status: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # known to the library alone
            if not 101 < status[1] < 200:
                return status
            while self.fp.readline(LONGEST_LINE).strip():
                pass


class _Exchange(HTTPConnection):
    """
    A request and its answer as http.client does them, on a connection made, secured and kept by urllib3.

    urllib3's own exchange takes twice the processor time, and knows neither interim answers nor an end to slow ones.
    """

    _held: list[bytes] | None = None  # the parts of a request that is being put together
    _answered_at = 0.0  # by the monotonic clock

    def response_class(self, sock: socket, **kwargs: Any) -> _Reply:  # type: ignore[override]
        """What http.client reads answers with, those of a proxy among them."""
        return _Reply(sock, self.timeout, **kwargs)

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use it for one more request."""
        rested = time.monotonic() - self._answered_at > LONGEST_IDLE
        return not rested and bool(super().is_connected)  # type: ignore[misc]  # of urllib3's class

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
        """The answer, at most a megabyte of it; a connection that brought more carries no other request."""
        response = HTTPConnection.getresponse(self)
        assert isinstance(response, _Reply)
        body = _read(response)
        if not response.isclosed() or response.received.more or response.status < 200:
            response.close()
            self.close()
        self._answered_at = time.monotonic()
        return _Response(response.status, response.headers, _decoded(body, response.headers))

    def _heed_timeout(self) -> None:
        """The pool gives the connection one time to connect and another one to answer."""
        if self.sock is not None:
            self.sock.settimeout(self.timeout)


def _read(response: _Reply) -> bytes:
    """
    The body, or its beginning where it is longer than any answer.

    :raises IncompleteRead: when it ends before its length
    """
    if response.length is not None and response.length <= MOST_BYTES:
        return response.read()
    body = bytearray()
    while len(body) < MOST_BYTES and (piece := response.read(_PIECE)):
        body += piece
    if response.length and len(body) < MOST_BYTES:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)


def _decoded(body: bytes, headers: HTTPMessage) -> bytes:
    """
    The body as it was before it was compressed, which nobody asked for.

    What the header says of it may be wrong: a body that is readable as it stands is taken so, any other that can't be
    unpacked is nothing.
    """
    header = headers.get("Content-Encoding") or ("gzip" if body.startswith(_GZIP) else "")
    codings = [coding for part in header.split(",") if (coding := part.strip().lower()) not in ("", "identity")]
    unpacked = body
    try:
        for coding in reversed(codings):
            unpacked = _unpacked(unpacked, coding)
    except zlib.error:
        return body if read_document(body) else b""
    return unpacked


def _unpacked(data: bytes, coding: str) -> bytes:
    """The beginning of compressed data; some servers leave the frame of ``deflate`` out."""
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(data, MOST_BYTES)
    except zlib.error:
        bare = zlib.decompressobj(-zlib.MAX_WBITS)
        unpacked = bare.decompress(data, MOST_BYTES) if coding == "deflate" else b""
        if not bare.eof:
            raise
        return unpacked


def use_plain_exchange(pool: HTTPConnectionPool) -> None:
    """Let this pool's connections, and no other's, do requests and answers as http.client does them."""
    pool.ConnectionCls = type("Exchange", (_Exchange, pool.ConnectionCls), {})


def broken(error: HTTPError) -> Answer:
    """The answer of a request that failed: one that never left, or one whose answer nobody saw."""
    cause: BaseException = error.reason if isinstance(error, MaxRetryError) and error.reason is not None else error
    if isinstance(cause, ProxyError):
        cause = cause.original_error
        if not isinstance(cause, HTTPError):
            return unreachable("proxy")
    if isinstance(cause, NewConnectionError):  # which is a ConnectTimeoutError, too
        return unreachable("refused")
    if isinstance(cause, ConnectTimeoutError):
        return unreachable("timeout")
    detail = cause.args[-1] if cause.args else None
    if isinstance(cause, SSLError) and isinstance(detail, SSLCertVerificationError):
        return unreachable("tls")  # any other TLS error may come after the request has left
    if isinstance(cause, ReadTimeoutError):
        return unknown("timeout")
    return unknown("truncated" if isinstance(detail, IncompleteRead) else "reset")
