"""HTTP to wolkvox: against the sandbox, and against servers that answer what no sandbox would."""

import gzip
import json
import logging
import re
import socket
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from airflow.sdk import Connection
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sandbox_server import SandboxServer

from wolkvox.errors import BadSetting, BadToken, WolkvoxError, WrongEndpoint
from wolkvox.hook import WolkvoxHook
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.records import Record
from wolkvox.vendor.api import TokenInfo
from wolkvox.vendor.settings import read_settings
from wolkvox.vendor.transport import TransportOptions

TOKEN = "t0ken-that-nobody-may-see"
RECORD = Record(1, "preview", "17", "0052998123", "5", None, "by chat")
CODED = b'{"code": 202, "error": null, "msg": "coded"}'


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Server:
    """A server of one's own: answers every request alike and keeps what it was asked."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.status, self.headers, self.body = 200, {"Content-Type": "application/json"}, CODED
        self.requests: list[Request] = []
        self.clients: set[object] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.requests.append(Request(self.command, self.path, dict(self.headers), body))
                server.clients.add(self.client_address)
                self.send_response(server.status)
                for name, value in {**server.headers, "Content-Length": str(len(server.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(server.body)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def nobody() -> str:
    """An address at which nobody listens."""
    server = Server()
    server.stop()
    return server.url


Hook = Callable[..., WolkvoxHook]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """Makes a hook for an address; the rest is the connection's extra."""
    made: list[WolkvoxHook] = []

    def make(address: str, token: str = TOKEN, **extra: object) -> WolkvoxHook:
        content = {"conn_type": "wolkvox", "host": address, "password": token, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps(content))
        made.append(WolkvoxHook())
        return made[-1]

    yield make
    for each in made:
        each.close()


def connection(**fields: Any) -> Connection:
    return Connection(conn_id="c", conn_type="wolkvox", **{"host": "http://h", "password": "secret", **fields})


# The call


def test_a_record_is_coded_by_the_sandbox(sandbox: SandboxServer) -> None:
    with WolkvoxHook() as wolkvox:
        answer = wolkvox.codify(RECORD)
    assert (answer.kind, answer.code, answer.msg) == (Kind.CODED, "202", "customer_id 0052998123 has been coded")
    assert sandbox.stats()["calls_per_record"] == {"preview/17/0052998123": 1}


def test_many_records_share_one_connection(sandbox: SandboxServer) -> None:
    with WolkvoxHook() as wolkvox:
        assert wolkvox.token_info() == TokenInfo(limit=20_000, used=1, left=19_999)
        answers = [wolkvox.codify(RECORD._replace(customer_id=str(number))) for number in range(200)]
    assert {answer.kind for answer in answers} == {Kind.CODED}
    assert (sandbox.stats()["calls"], sandbox.stats()["connections"]) == (201, 1)


def test_a_call_leaves_in_one_packet(server: Server, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    packets: list[bytes] = []

    class Watched(socket.socket):
        def sendall(self, data: Any, flags: int = 0) -> None:
            packets.append(bytes(data))
            super().sendall(data, flags)

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        return Watched(fileno=socket.create_connection(address).detach())

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    wolkvox = hook(server.url)
    for _ in range(3):
        assert wolkvox.codify(RECORD).kind is Kind.CODED
    assert [packet.endswith(server.requests[0].body) for packet in packets] == [True] * 3


def test_a_call_is_what_the_vendor_documents(server: Server, hook: Hook) -> None:
    assert hook(server.url, wolkvox_server="0041").codify(RECORD).kind is Kind.CODED
    (request,) = server.requests
    assert (request.method, request.path) == (
        "PUT",
        "/api/v2/campaign.php?api=codify&type_campaign=preview&campaign_id=17",
    )
    assert request.headers["wolkvox-token"] == TOKEN
    assert request.headers["wolkvox_server"] == "0041"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {"cod_act": "5", "comment": "by chat", "customer_id": "0052998123"}


def test_a_second_code_is_sent_where_there_is_one_and_no_comment_as_an_empty_one(server: Server, hook: Hook) -> None:
    hook(server.url).codify(RECORD._replace(cod_act_2="7", comment=None))
    assert json.loads(server.requests[0].body) == {
        "cod_act": "5",
        "cod_act_2": "7",
        "comment": "",
        "customer_id": "0052998123",
    }


@pytest.mark.parametrize(
    "text",
    ["👍 ñandú 中", 'a "quoted" \\ text', "line\r\nwolkvox-token: x", "&api=delete#?%00", "' OR 1=1 --", "x" * 10**6],
)
def test_whatever_a_field_holds_arrives_unchanged_and_in_the_body_only(server: Server, hook: Hook, text: str) -> None:
    hook(server.url).codify(RECORD._replace(customer_id=text, comment=text, cod_act=text))
    (request,) = server.requests
    assert json.loads(request.body) == {"cod_act": text, "comment": text, "customer_id": text}
    assert request.path == "/api/v2/campaign.php?api=codify&type_campaign=preview&campaign_id=17"


def test_a_base_url_may_have_a_path(server: Server, hook: Hook) -> None:
    hook(f"{server.url}/proxy/wolkvox/").codify(RECORD)
    assert server.requests[0].path.startswith("/proxy/wolkvox/api/v2/campaign.php?api=codify&")


def test_an_http_proxy_gets_the_whole_address(server: Server, hook: Hook) -> None:
    wolkvox = hook("http://wv0041.wolkvox.com", proxies={"http": server.url})
    assert wolkvox.codify(RECORD).kind is Kind.CODED
    assert server.requests[0].path.startswith("http://wv0041.wolkvox.com/api/v2/campaign.php?api=codify&")


# What goes wrong on the wire


def test_a_redirect_is_not_followed_and_the_token_stays(server: Server, hook: Hook) -> None:
    other = Server()
    try:
        for status in (301, 302, 303, 307, 308):
            server.status, server.headers = status, {"Location": f"{other.url}/api/v2/campaign.php"}
            assert hook(server.url).codify(RECORD).reason == f"blocked_{status}"
        assert (len(server.requests), other.requests) == (5, [])
    finally:
        other.stop()


def test_a_failed_call_is_not_repeated_behind_the_loops_back(server: Server, hook: Hook) -> None:
    server.status, server.headers = 503, {"Retry-After": "1"}
    answer = hook(server.url).codify(RECORD)
    assert (answer.kind, answer.retry_after, len(server.requests)) == (Kind.OVERLOADED, 1.0, 1)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ({"kind": "reset_before"}, Kind.UNKNOWN, "unknown_reset"),
        ({"kind": "reset_after"}, Kind.UNKNOWN, "unknown_reset"),
        ({"kind": "truncated"}, Kind.UNKNOWN, "unknown_truncated"),
        ({"kind": "slow", "seconds": 6}, Kind.UNKNOWN, "unknown_timeout"),
        ({"kind": "html_200"}, Kind.UNKNOWN, "unknown_unreadable"),
    ],
)
def test_an_answer_that_nobody_saw_is_unknown_and_the_next_call_is_fine(
    sandbox: SandboxServer, hook: Hook, fault: dict[str, object], kind: Kind, reason: str
) -> None:
    sandbox.control(faults={RECORD.customer_id: [fault]})
    wolkvox = hook(sandbox.url, sandbox.token, call_timeout=2.0)
    answer = wolkvox.codify(RECORD)
    assert (answer.kind, answer.reason) == (kind, reason)
    assert wolkvox.codify(RECORD._replace(customer_id="2")).kind is Kind.CODED


class End:
    """The end of the connection."""


class Script:
    """A server that says what it is told to, byte by byte, each answer after one request on whatever connection."""

    def __init__(self, *answers: Sequence[bytes | float | End]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self._answers = iter(answers)
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while connection.recv(65_536):
                for part in next(self._answers, ()):
                    if isinstance(part, bytes):
                        connection.sendall(part)
                    elif isinstance(part, End):
                        return
                    else:
                        time.sleep(part)

    def stop(self) -> None:
        self._listener.close()


def final(body: bytes = CODED, *headers: str) -> bytes:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers])
    return f"{head}\r\n\r\n".encode() + body


def refused(words: str) -> bytes:
    return final(json.dumps({"code": 422, "error": None, "msg": words}).encode())


@pytest.mark.parametrize(
    "interim",
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n",),
        (b"HTTP/1.1 102 Processing\r\n\r\n", 0.1),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20, 0.1),
    ],
)
def test_interim_answers_are_not_the_answer(hook: Hook, interim: tuple[bytes | float, ...]) -> None:
    server = Script((*interim, refused("first")), (refused("second"),), (*interim, refused("third")))
    wolkvox = hook(server.url)
    assert [wolkvox.codify(RECORD).msg for _ in range(3)] == ["first", "second", "third"]
    assert server.connections == 1
    server.stop()


@pytest.mark.parametrize(
    "first",
    [
        (final() + refused("of nobody"),),  # more than was asked for
        (final() + b"\r\nnoise",),
        (final(), 0.05, refused("of nobody")),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",),
        (b"nonsense\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", 2.5),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX", 2.5),
    ],
)
def test_no_answer_is_taken_for_that_of_the_record_before(hook: Hook, first: tuple[bytes | float, ...]) -> None:
    server = Script(first, (refused("mine"),))
    wolkvox = hook(server.url, call_timeout=1.5)
    wolkvox.codify(RECORD)
    time.sleep(0.5)
    assert wolkvox.codify(RECORD).msg == "mine"
    assert server.connections == 2
    server.stop()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(CODED, mtime=0)),
        ("x-gzip", gzip.compress(CODED, mtime=0)),
        ("GZIP", gzip.compress(CODED, mtime=0)),
        ("deflate", zlib.compress(CODED)),
        ("gzip, gzip", gzip.compress(gzip.compress(CODED, mtime=0), mtime=0)),
        ("deflate", zlib.compress(CODED)[2:-4]),
        ("deflate, gzip", gzip.compress(zlib.compress(CODED), mtime=0)),
        ("gzip", CODED),
        ("deflate", CODED),
        ("br", CODED),
        ("identity", CODED),
        (None, gzip.compress(CODED, mtime=0)),
    ],
)
def test_a_compressed_answer_is_read_though_nobody_asked_for_it(
    server: Server, hook: Hook, coding: str | None, packed: bytes
) -> None:
    server.body, server.headers = packed, {"Content-Encoding": coding} if coding else {}
    answer = hook(server.url).codify(RECORD)
    assert (answer.kind, answer.msg) == (Kind.CODED, "coded")
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_what_can_not_be_unpacked_is_no_words_of_the_vendor(server: Server, hook: Hook) -> None:
    server.body, server.headers = b"rubbish", {"Content-Encoding": "gzip"}
    answer = hook(server.url).codify(RECORD)
    assert (answer.kind, answer.reason, answer.msg) == (Kind.UNKNOWN, "unknown_unreadable", None)


def peak_of_reading(wolkvox: WolkvoxHook) -> tuple[Answer, int]:
    """An answer, and the bytes of memory that it took at most."""
    tracemalloc.start()
    try:
        answer = wolkvox.codify(RECORD)
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("coding", "times"), [("", 0), ("gzip", 1), ("gzip, gzip", 2)], ids=["plain", "a bomb", "a bomb in a bomb"]
)
def test_an_endless_answer_takes_no_more_memory_than_a_long_one(
    server: Server, hook: Hook, coding: str, times: int
) -> None:
    server.body, server.headers = b" " * 40_000_000, {"Content-Encoding": coding} if coding else {}
    for _ in range(times):
        server.body = gzip.compress(server.body, mtime=0)
    wolkvox = hook(server.url)
    answer, peak = peak_of_reading(wolkvox)
    assert (answer.reason, peak < 8_000_000) == ("unknown_unreadable", True), peak
    server.body, server.headers = CODED, {}
    assert wolkvox.codify(RECORD).msg == "coded"


def test_the_outcome_at_the_beginning_of_a_long_answer_counts(server: Server, hook: Hook) -> None:
    server.body = CODED + b" " * 3_000_000
    wolkvox = hook(server.url)
    assert [wolkvox.codify(RECORD).kind for _ in range(2)] == [Kind.CODED, Kind.CODED]


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 3000000", b"Transfer-Encoding: chunked", b"Content-Length: 900"],
    ids=["long", "chunked", "short"],
)
def test_an_answer_that_breaks_off_is_seen_to_whatever_its_length(hook: Hook, head: bytes) -> None:
    part = b"7d0\r\n" + CODED if b"chunked" in head else CODED
    server = Script((b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n\r\n" + part, End()))
    assert hook(server.url).codify(RECORD).reason == "unknown_truncated"
    server.stop()


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"])
def test_a_server_that_sends_a_byte_now_and_then_does_not_prolong_the_call(hook: Hook, begun: bytes) -> None:
    server = Script((begun, *(part for _ in range(50) for part in (b"H", 0.1))), (refused("mine"),))
    wolkvox = hook(server.url, call_timeout=1.5)
    began = time.monotonic()
    assert wolkvox.codify(RECORD).reason == "unknown_timeout"
    assert 1.4 < time.monotonic() - began < 4.5
    assert wolkvox.codify(RECORD).msg == "mine"
    server.stop()


def test_a_connection_that_rested_for_seconds_is_not_used_again(
    server: Server, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    wolkvox = hook(server.url)
    monkeypatch.setattr("wolkvox.vendor.exchange.LONGEST_IDLE", 1.0)
    for rest in (0.0, 1.2, 0.0):
        time.sleep(rest)
        assert wolkvox.codify(RECORD).kind is Kind.CODED
    assert len(server.clients) == 2


def test_airflows_own_run_has_the_connections_address_and_token(server: Server, hook: Hook) -> None:
    wolkvox = hook(f"{server.url}/proxy", wolkvox_server="0041")
    wolkvox.method = "GET"
    assert wolkvox.run("api/v2/information.php", {"api": "campaigns"}, {"X-Mine": "1"}).content == CODED
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/proxy/api/v2/information.php?api=campaigns")
    sent = {name: request.headers.get(name) for name in ("wolkvox-token", "wolkvox_server", "X-Mine", "Authorization")}
    assert sent == {"wolkvox-token": TOKEN, "wolkvox_server": "0041", "X-Mine": "1", "Authorization": None}


def test_a_call_says_who_makes_it(server: Server, hook: Hook) -> None:
    hook(server.url).codify(RECORD)
    assert re.fullmatch(r"wolkvox-codify/\d+\.\d+\.\d+", server.requests[0].headers["User-Agent"])


@pytest.mark.parametrize(
    "proxies",
    [
        "{url}",
        '{{"http": "{url}"}}',
        {"http": "{url}"},
        {"all": "{url}"},
        "{bare}",
        {"http://wv0041.wolkvox.com": "{url}"},
    ],
)
def test_a_proxy_may_be_told_in_every_way_a_connection_can_carry(server: Server, hook: Hook, proxies: Any) -> None:
    def fill_in(text: str) -> str:
        return text.format(url=server.url, bare=server.url.removeprefix("http://"))

    told = fill_in(proxies) if isinstance(proxies, str) else {key: fill_in(value) for key, value in proxies.items()}
    assert hook("http://wv0041.wolkvox.com", proxies=told).codify(RECORD).kind is Kind.CODED
    assert server.requests[0].path.startswith("http://wv0041.wolkvox.com/")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("proxies", 5),
        ("proxies", ["http://ana:s3cret@proxy"]),
        ("proxies", {"https": 5}),
        ("proxies", {"https": "ftp://ana:s3cret@proxy"}),
        ("proxies", "http://ana:s3cret@proxy:999999"),
        ("proxies", "socks9://ana:s3cret@proxy"),
        ("proxies", "http://"),
        ("verify", ["/ca.pem"]),
        ("verify", {"ca": "/ca.pem"}),
        ("cert", {"cert": "/c.pem"}),
        ("cert", ["/c.pem"]),
        ("cert", 7),
        ("proxies", {"ssl": "http://ana:s3cret@proxy"}),
        ("verify", "certificates"),
        ("verify", "falso"),
    ],
)
def test_a_way_that_can_not_be_gone_is_named_and_its_password_is_not(key: str, value: object) -> None:
    with pytest.raises(BadSetting, match=f"{key} of connection 'c'") as raised:
        read_settings(connection(extra=json.dumps({key: value})))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("told", "verify"),
    [
        ("false", False),
        ("False", False),
        ("0", False),
        ("true", True),
        ("/ca.pem", "/ca.pem"),
        ("", True),
        (None, True),
    ],
)
def test_verify_may_be_text_as_in_a_connection_given_as_a_uri(told: object, verify: object) -> None:
    assert read_settings(connection(extra=json.dumps({"verify": told}))).way.verify == verify


def test_a_call_that_finds_nobody_never_left(hook: Hook) -> None:
    for wolkvox in (hook(nobody()), hook("http://wv0041.wolkvox.com", proxies={"http": nobody()})):
        answer = wolkvox.codify(RECORD)
        assert (answer.kind, answer.reason) == (Kind.UNREACHABLE, "unreachable_refused")


def test_a_name_that_nobody_knows_is_unreachable(hook: Hook) -> None:
    assert hook("http://wv0041.invalid").codify(RECORD).reason == "unreachable_refused"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path / "certificate.pem"
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()) + signed.public_bytes(encoding))
    return path


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_is_verified_unless_that_is_switched_off_by_name(hook: Hook, certificate: Path) -> None:
    server = Server(certificate)
    try:
        assert hook(server.url).codify(RECORD).reason == "unreachable_tls"
        assert server.requests == []
        assert hook(server.url, verify=str(certificate)).codify(RECORD).kind is Kind.CODED
        assert hook(server.url, verify=False).codify(RECORD).kind is Kind.CODED
    finally:
        server.stop()


def test_a_certificate_that_is_not_there_is_named(hook: Hook) -> None:
    with pytest.raises(BadSetting, match=r"'wolkvox_default'.*/nowhere\.pem"):
        hook("https://127.0.0.1", verify="/nowhere.pem").codify(RECORD)


# The vendor's own figures


@pytest.mark.parametrize(
    ("data", "info"),
    [
        (
            {
                "token_limit": "20000",
                "token_use_today": "5",
                "all_token_today": "12",
                "available_consumption_options": "9",
            },
            TokenInfo(20_000, 12, 9),
        ),
        (
            {"token_limit": "100", "all_token_today": "40", "available_consumption_options": "90"},
            TokenInfo(100, 40, 60),
        ),
        ({"token_limit": 100, "all_token_today": 40}, TokenInfo(100, 40, 60)),
        ({"token_limit": "100", "all_token_today": "140"}, TokenInfo(100, 140, 0)),
        ({"available_consumption_options": " 7 "}, TokenInfo(None, None, 7)),
        ({"available_consumption_options": "-7"}, TokenInfo(None, None, 0)),
        ({"token_limit": "--5", "all_token_today": "1,000"}, TokenInfo(None, None, None)),
        (
            {"token_limit": "²", "all_token_today": "", "available_consumption_options": None},
            TokenInfo(None, None, None),
        ),
        ({"token_limit": "9" * 5_000, "all_token_today": True}, TokenInfo(None, None, None)),
        ({"token_limit": [], "all_token_today": {}}, TokenInfo(None, None, None)),
        ({}, TokenInfo(None, None, None)),
    ],
)
def test_the_calls_left_are_the_smaller_figure_of_what_can_be_read(
    server: Server, hook: Hook, data: dict[str, object], info: TokenInfo
) -> None:
    server.body = json.dumps({"code": "0", "error": "", "data": [data]}).encode()
    assert hook(server.url).token_info() == info


def test_no_row_at_all_tells_nothing(server: Server, hook: Hook) -> None:
    server.body = b'{"code": "0", "data": [null, 5]}'
    assert hook(server.url).token_info() == TokenInfo(None, None, None)


def test_the_codes_are_text(server: Server, hook: Hook) -> None:
    server.body = b'{"code": "0", "data": [{"cod_act": "05"}, {"cod_act": 7}, {"cod_act": ""}, {"other": 1}, 3]}'
    assert hook(server.url).activity_codes() == {"05", "7"}


def test_the_sandbox_lists_its_codes(sandbox: SandboxServer, hook: Hook) -> None:
    sandbox.control(activity_codes=["5", "7"])
    assert hook(sandbox.url, sandbox.token).activity_codes() == {"5", "7"}


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (
            403,
            b'{"code": 403, "msg": "PLEASE VALIDATE TOKEN"}',
            BadToken,
            "refused the token of connection 'wolkvox_def",
        ),
        (404, b"<html>", WolkvoxError, r"gave no token_info \(not_found, code 404\)"),
        (
            400,
            b'{"code": 400, "msg": "THE API YOU WANT TO CONSULT DOES NOT EXIST"}',
            WrongEndpoint,
            "isn't a wolkvox API",
        ),
        (
            302,
            b"",
            WrongEndpoint,
            r"isn't a wolkvox API \(code 302\): correct the host of connection 'wolkvox_default'",
        ),
        (405, b"<html>", WrongEndpoint, r"isn't a wolkvox API \(code 405\)"),
        (401, b"<html>", BadToken, r"refused the token of connection 'wolkvox_default' \(code 401\)"),
        (200, b'{"code": "0", "data": "none"}', WolkvoxError, r"gave no token_info \(unreadable, code 200\)"),
        (200, b"<html>", WolkvoxError, "unknown_unreadable"),
        (500, b"", WolkvoxError, "overloaded_500"),
    ],
)
def test_a_read_that_fails_says_what_was_seen(
    server: Server, hook: Hook, status: int, body: bytes, error: type[WolkvoxError], message: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(error, match=message) as raised:
        hook(server.url).token_info()
    assert raised.type is error


def test_the_connection_can_be_tested(sandbox: SandboxServer, hook: Hook) -> None:
    assert hook(sandbox.url, sandbox.token).test_connection() == (True, "wolkvox answers; requests left today: 19999")
    assert sandbox.stats()["calls"] == 1


def test_a_bad_connection_says_what_is_wrong_with_it(sandbox: SandboxServer, hook: Hook) -> None:
    assert hook(sandbox.url).test_connection() == (
        False,
        "wolkvox refused the token of connection 'wolkvox_default' (code 403): put a valid one into its password.",
    )
    assert hook("http://a b").test_connection() == (
        False,
        "The host of connection 'wolkvox_default' is no plain address: it should look like https://wv0041.wolkvox.com.",
    )
    address = nobody()
    assert hook(address).test_connection() == (
        False,
        f"wolkvox gave no token_info (unreachable_refused, code None) at {address}.",
    )


# The token


def test_the_token_and_the_customer_are_in_no_log(
    sandbox: SandboxServer, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.control(
        faults={RECORD.customer_id: [{"kind": "status", "status": 500, "body": "<html>"}, {"kind": "reset_after"}]}
    )
    with caplog.at_level(logging.DEBUG):
        wolkvox = hook(sandbox.url, sandbox.token)
        wolkvox.token_info()
        for _ in range(3):
            wolkvox.codify(RECORD)
    assert "campaign.php" in caplog.text
    for secret in (sandbox.token, RECORD.customer_id, "by chat"):
        assert secret not in caplog.text


def test_the_token_is_in_no_text_a_person_sees(sandbox: SandboxServer, hook: Hook) -> None:
    wolkvox = hook(sandbox.url)
    with pytest.raises(BadToken) as raised:
        wolkvox.token_info()
    seen = [repr(wolkvox), repr(wolkvox.settings), str(wolkvox.settings), str(raised.value), repr(raised.value)]
    assert not [text for text in seen if TOKEN in text]
    assert repr(wolkvox.settings) == f"Settings({sandbox.url}, operation {sandbox.url.removeprefix('http://')})"


def test_tokens_are_told_apart_without_naming_them() -> None:
    prints = {read_settings(connection(password=token)).fingerprint for token in ("a", "b", "ab")}
    assert len(prints) == 3
    assert all(-(2**31) <= number < 2**31 for number in prints)


# The connection


def test_a_bare_token_and_a_server_are_enough() -> None:
    settings = read_settings(connection(host=None, extra='{"wolkvox_server": "0041"}'))
    assert (settings.base_url, settings.operation) == ("https://wv0041.wolkvox.com", "0041")
    assert settings.daily_requests is None
    assert (settings.quota_reserve, settings.quota_timezone) == (0, "America/Bogota")
    assert (settings.call_timeout, settings.preflight, settings.check_codes) == (65.0, True, False)


@pytest.mark.parametrize(
    ("fields", "base_url", "operation"),
    [
        ({"host": "https://wv0041.wolkvox.com/"}, "https://wv0041.wolkvox.com", "0041"),
        ({"host": "wv0041.wolkvox.com"}, "https://wv0041.wolkvox.com", "0041"),
        ({"host": "127.0.0.1", "port": 8090}, "http://127.0.0.1:8090", "127.0.0.1:8090"),
        ({"host": "localhost:8090"}, "http://localhost:8090", "localhost:8090"),
        ({"host": "proxy.example", "schema": "http"}, "http://proxy.example", "proxy.example"),
        ({"host": "http://[::1]:8090"}, "http://[::1]:8090", "[::1]:8090"),
        ({"host": "http://h:1", "port": 2}, "http://h:1", "h:1"),
        ({"host": "http://h/a/b/", "port": 2}, "http://h:2/a/b", "h:2"),
        ({"host": "http://h", "extra": '{"wolkvox_server": "0007"}'}, "http://h", "0007"),
    ],
)
def test_an_address_may_be_given_in_many_ways(fields: dict[str, Any], base_url: str, operation: str) -> None:
    settings = read_settings(connection(**fields))
    assert (settings.base_url, settings.operation) == (base_url, operation)


@pytest.mark.parametrize(
    "host",
    [
        "ftp://h",
        "file:///etc/passwd",
        "http://",
        "http://user@h",
        "http://:secret@h",
        "http://h?x=1",
        "http://h#x",
        "http://h:port",
        "http://h:99999",
        "http://[::1",
        "http://a b",
        "http://h\r\nwolkvox-token: x",
        "http://h/\nx",
        "http://ñandú.example",
        "h/../..?",
    ],
)
def test_what_is_no_plain_address_is_refused(host: str) -> None:
    with pytest.raises(BadSetting, match=r"^The host of connection 'c' is no plain address: .*wv0041\.wolkvox\.com\.$"):
        read_settings(connection(host=host))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"password": None}, "Connection 'c' has no token"),
        ({"password": ""}, "Connection 'c' has no token"),
        ({"password": "secret\r\nX-Other: 1"}, "The token of connection 'c' holds characters"),
        ({"password": "secret\x00"}, "The token of connection 'c' holds characters"),
        ({"password": "señal"}, "The token of connection 'c' holds characters"),
        ({"host": None}, "Connection 'c' has no address"),
        ({"extra": "[1]"}, "The extra of connection 'c' must be a JSON object such as {\"licenses\": 20}"),
        ({"extra": '{"wolkvox_server": "0041.evil.example/"}'}, "wolkvox_server of connection 'c' must be"),
        ({"extra": '{"wolkvox_server": "0041\\r\\nX: 1"}'}, "wolkvox_server of connection 'c' must be"),
        ({"extra": '{"wolkvox_server": "-"}'}, "wolkvox_server of connection 'c' must be"),
        ({"extra": '{"wolkvox_server": 33}'}, "wolkvox_server of connection 'c' arrived as a number"),
        (
            {"host": "https://wv0041.wolkvox.com", "extra": '{"wolkvox_server": "0042"}'},
            "Connection 'c' contradicts itself: its host is server 0041, its wolkvox_server 0042.",
        ),
        ({"password": " \t"}, "Connection 'c' has no token"),
        ({"extra": '{"licenses": -1}'}, "licenses of connection 'c' must be a number from 0 to 1000000"),
        ({"extra": '{"licenses": "many"}'}, "licenses of connection 'c' must be a number"),
        ({"extra": '{"licenses": NaN}'}, "licenses of connection 'c' must be a number"),
        ({"extra": '{"licenses": 1e9}'}, "licenses of connection 'c' must be a number"),
        ({"extra": '{"quota_reserve": []}'}, "quota_reserve of connection 'c' must be a number"),
        ({"extra": '{"call_timeout": "65 s"}'}, "call_timeout of connection 'c' must be a number"),
        ({"extra": '{"licenses": true}'}, "licenses of connection 'c' must be a number"),
        ({"extra": '{"licenses": "1.000"}'}, "1.000 may mean 1 or 1000"),
        ({"extra": '{"licenses": "2,500"}'}, "2,500 may mean 2.5 or 2500"),
        ({"extra": '{"quota_reserve": "20.000"}'}, "20.000 may mean 20 or 20000"),
        ({"extra": '{"licenses": "20,5"}'}, "written in digits with at most one dot"),
        ({"extra": '{"licenses": "1.000.000"}'}, "written in digits with at most one dot"),
        ({"extra": '{"licenses": "1_000"}'}, "written in digits with at most one dot"),
        ({"extra": '{"licenses": "1e3"}'}, "written in digits with at most one dot"),
        ({"extra": '{"licenses": "٢٠"}'}, "written in digits with at most one dot"),
        ({"extra": '{"licenses": 2, "quota_reserve": 2000}'}, "keeps 2000 requests a day back, and the licences allow"),
        ({"extra": '{"licenses": 1, "quota_reserve": 1500}'}, "Lower quota_reserve, or correct licenses."),
        ({"extra": '{"licenses": 0, "quota_reserve": 1}'}, "nothing could ever be sent"),
        ({"extra": '{"call_timeout": 0.001}'}, "call_timeout of connection 'c' must be a number from 1 to 600"),
        ({"extra": '{"call_timeout": true}'}, "call_timeout of connection 'c' must be a number from 1 to 600"),
        ({"extra": '{"call_timeout": 0}'}, "call_timeout of connection 'c' must be a number from 1 to 600"),
        ({"extra": '{"call_timeout": 86400}'}, "call_timeout of connection 'c' must be a number from 1 to 600"),
        ({"extra": '{"preflight": "ture"}'}, "preflight of connection 'c' must be true, false or codes."),
        ({"extra": '{"preflight": "code"}'}, "preflight of connection 'c' must be true, false or codes."),
        ({"extra": '{"skip_handled": "si"}'}, "skip_handled of connection 'c' must be true or false."),
        ({"extra": '{"export_preflight": "automatic"}'}, "export_preflight of connection 'c' must be off, on or auto."),
        ({"extra": '{"export_date": "dials"}'}, "export_date of connection 'c' must be dial or change."),
        ({"extra": '{"export_result": "CLEAN"}'}, "export_result of connection 'c' must be change or keep."),
        ({"extra": '{"export_timezone": "Bogota"}'}, "export_timezone of connection 'c' must be a zone"),
        ({"extra": '{"export_timezone": "Etc/GMT-5"}'}, "Etc/GMT-5 is 5 hours ahead of UTC"),
        ({"extra": '{"quota_timezone": "Etc/GMT-5"}'}, "Etc/GMT-5 is 5 hours ahead of UTC"),
        ({"extra": '{"quota_timezone": "Etc/GMT-12"}'}, "Etc/GMT+12 is as far behind it"),
        ({"extra": '{"quota_timezone": "Bogota"}'}, "quota_timezone of connection 'c' must be a zone"),
        ({"extra": '{"quota_timezone": "../../etc/passwd"}'}, "quota_timezone of connection 'c' must be a zone"),
        ({"extra": '{"quota_timezone": "America"}'}, "quota_timezone of connection 'c' must be a zone"),
        ({"password": '"secret"'}, "The token of connection 'c' is in quotes: write it without them."),
        ({"extra": '{"licences": 20}'}, "The extra of connection 'c' has no key 'licences': did you mean licenses?"),
        ({"extra": '{"Quota_Reserve": 5}'}, "has no key 'Quota_Reserve': did you mean quota_reserve?"),
        ({"extra": '{"call_time_out": 5}'}, "has no key 'call_time_out': did you mean call_timeout?"),
        ({"extra": '{"quota_reserve": 0.1}'}, "quota_reserve of connection 'c' must be a whole number"),
        ({"extra": '{"quota_reserve": "1.5"}'}, "quota_reserve of connection 'c' must be a whole number"),
        ({"extra": '{"export_preflight": "auto", "export_from": 0}'}, "export_from of connection 'c' must be a number"),
        (
            {"extra": '{"export_preflight": "auto", "export_from": 2.5}'},
            "export_from of connection 'c' must be a whole",
        ),
        ({"host": "https//wv0041.wolkvox.com"}, "The host of connection 'c' is no plain address"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_the_token_is_not(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSetting) as raised:
        read_settings(connection(**fields))
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("preflight", "asks", "checks_codes"),
    [
        (True, True, False),
        (False, False, False),
        ("false", False, False),
        ("off", False, False),
        ("codes", True, True),
        (" Codes ", True, True),
        ("FALSE ", False, False),
        (0, False, False),
        (None, True, False),
        ("", True, False),
    ],
)
def test_what_is_asked_before_a_run_is_settable(preflight: object, asks: bool, checks_codes: bool) -> None:
    settings = read_settings(connection(extra=json.dumps({"preflight": preflight})))
    assert (settings.preflight, settings.check_codes) == (asks, checks_codes)


@pytest.mark.parametrize("zone", ["America/Bogota", " America/Bogota ", "Etc/GMT+5", "Etc/GMT-14", "UTC", ""])
def test_a_zone_that_can_mean_one_thing_alone_is_taken(zone: str) -> None:
    assert read_settings(connection(extra=json.dumps({"quota_timezone": zone}))).quota_timezone == (
        zone.strip() or "America/Bogota"
    )


@pytest.mark.parametrize(("retry_policy", "in_flight"), [(1, 65.0), (30, 65.0), (65, 65.0), (120, 120.0), ("", 65.0)])
def test_a_request_of_a_dead_task_is_waited_out_for_the_vendors_minute_at_least(
    retry_policy: object, in_flight: float
) -> None:
    settings = read_settings(connection(extra=json.dumps({"call_timeout": retry_policy})))
    assert settings.in_flight_seconds == in_flight


@pytest.mark.parametrize(
    ("written", "daily"), [(1.0, 1_000), ("1.5", 1_500), (" 20 ", 20_000), ("0.125", 125), ("1000", 1_000_000)]
)
def test_a_number_is_read_as_it_is_written(written: object, daily: int) -> None:
    assert read_settings(connection(extra=json.dumps({"licenses": written}))).daily_requests == daily


def test_a_connection_may_be_a_uri_whose_values_are_all_text(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = "wolkvox_server=0041&licenses=1.5&quota_reserve=20&call_timeout=5&preflight=false"
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", f"wolkvox://:{quote('a/b%c', safe='')}@127.0.0.1:8090/?{extra}")
    settings = WolkvoxHook().settings
    assert (settings.base_url, settings.operation, settings.token) == ("http://127.0.0.1:8090", "0041", "a/b%c")
    assert (settings.daily_requests, settings.quota_reserve, settings.call_timeout) == (1_500, 20, 5.0)
    assert not settings.preflight


def test_a_uri_may_name_the_scheme_in_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for uri in ("wolkvox://:token@https%3A%2F%2Fwv0041.wolkvox.com", "wolkvox://https://:token@wv0041.wolkvox.com/"):
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", uri)
        assert WolkvoxHook().settings.base_url == "https://wv0041.wolkvox.com"


def test_the_sandbox_can_be_reached_through_a_uri(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    address = sandbox.url.removeprefix("http://")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", f"wolkvox://:{sandbox.token}@{address}")
    with WolkvoxHook() as wolkvox:
        assert wolkvox.codify(RECORD).kind is Kind.CODED


@pytest.mark.parametrize(
    ("extra", "name", "value"),
    [
        ({"proxies": {"HTTPS": "http://proxy:3128"}}, "way", TransportOptions(proxies={"https": "http://proxy:3128"})),
        ({"licenses": "20.0"}, "daily_requests", 20_000),
        ({"call_timeout": 65.0}, "call_timeout", 65.0),
        ({"timeout": 5, "headers": {}, "check_response": False}, "call_timeout", 65.0),
    ],
)
def test_a_setting_is_read_as_people_and_other_hooks_write_it(extra: dict[str, Any], name: str, value: object) -> None:
    assert getattr(read_settings(connection(extra=json.dumps(extra))), name) == value


def test_blanks_around_an_address_are_no_part_of_it() -> None:
    assert read_settings(connection(host=" https://wv0041.wolkvox.com\n")).base_url == "https://wv0041.wolkvox.com"
