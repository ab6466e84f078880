"""A host that answers every export with whatever it was given, and codes everything."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


def record(customer: int | str, code: str = "", **more: object) -> dict[str, object]:
    """A record of an export, of a customer who was dialled long ago if there is a code."""
    dialled = {"resultado": "ANSWER", "llamadas": "1", "fecha": "2020-01-01 10:00:00"}
    clean = {"resultado": "CLEAN", "llamadas": "0", "fecha": ""}
    name = f"customer-{customer}" if isinstance(customer, int) else customer
    return {"id_cliente": name, "cod_rslt1": code, "cod_rslt2": "", **(dialled if code else clean), **more}


def export(*records: object, **head: object) -> bytes:
    """An export of campaign 17 with these records, whose head says so."""
    told = {"code": "200", "error": "", "total_records": str(len(records)), "campaign_id": "17", **head}
    return json.dumps({**told, "records": records}).encode()


WHOLE = {"code": "200", "total_records": "2", "campaign_id": "17", "records": [record(1), record(2)]}
TEXT = json.dumps(WHOLE).encode()


POLL = 0.01  # seconds until a host that is to stop notices


class Odd(BaseHTTPRequestHandler):
    """Answers an export with whatever the server was given, and codes everything, counting both."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body waits for no acknowledgement of its headers

    def do_GET(self) -> None:
        server: Any = self.server
        query = parse_qs(urlsplit(self.path).query)
        if query["api"] != ["campaign_15"]:
            body = b'{"code": "404", "error": "", "msg": "none"}'
            self._answer(404, body)
            return
        server.exported.append(query["campaign_id"][0])
        if server.drip:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(TEXT[:-20])
            while not server.over.wait(0.2):
                self.wfile.write(b" ")
        else:
            self._answer(server.status, server.body)

    def do_PUT(self) -> None:
        server: Any = self.server
        server.coded.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["customer_id"])
        self._answer(200, b'{"code": 202, "error": null, "msg": "coded"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Host(ThreadingHTTPServer):
    """The host: ``body`` is the next export; ``exported`` and ``coded`` are the campaigns and customers asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Odd)
        self.status, self.body, self.drip, self.over = 200, b"", False, threading.Event()
        self.exported: list[str] = []
        self.coded: list[str] = []

    def connect(self, **extra: object) -> None:
        """Make it the test's ``wolkvox_default``, with these settings."""
        connection = {
            "conn_type": "wolkvox",
            "host": f"http://127.0.0.1:{self.server_port}",
            "password": "token",
            "extra": {"wolkvox_server": "0041", "export_preflight": "on", "call_timeout": 2, **extra},
        }
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = json.dumps(connection)


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """The host, known to Airflow as ``wolkvox_default``."""
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", "")
    with Host() as host:
        host.connect()
        threading.Thread(target=host.serve_forever, args=(POLL,), daemon=True).start()
        yield host
        host.over.set()
        host.shutdown()
