"""A host that gives campaigns' exports just as a test writes them, and coded contacts to compare with them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from conftest import Database

BOGOTA = ZoneInfo("America/Bogota")
POLL = 0.01  # seconds until a host that is to stop notices
CONTACT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, contacted_at, protected_until,
    state, attempts, staged_at, sent_at, settled_at, response_code
)
VALUES (
    gen_random_uuid(), '0041', %(kind)s, %(campaign)s, %(customer)s, %(code)s, %(code_2)s,
    %(sent_at)s - interval '5 minutes', %(protected_until)s, 'coded', %(attempts)s, %(sent_at)s - interval '1 minute',
    %(sent_at)s, %(sent_at)s + interval '1 second', '202'
)
"""


class ExportHost:
    """
    Answers each campaign's export with its records; ``calls`` are the campaigns whose export was asked for.

    It takes every code; ``on_codify`` is called then.
    """

    def __init__(self) -> None:
        self.on_codify: Callable[[], object] = lambda: None
        self.records: dict[str, list[dict[str, Any]]] = {}
        self.calls: list[str] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                host.on_codify()
                self.answer(200, {"code": 202, "error": None, "msg": "has been coded"})

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                if query["api"] != ["campaign_15"]:
                    self.answer(200, {"code": "0", "error": "", "data": []})
                    return
                (campaign,) = query["campaign_id"]
                host.calls.append(campaign)
                records = host.records.get(campaign)
                head = {"code": "200", "total_records": str(len(records or ())), "campaign_id": campaign}
                self.answer(404 if records is None else 200, {**head, "records": records})

            def answer(self, status: int, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(POLL,), daemon=True).start()

    def connection(self, **extra: Any) -> str:
        """``AIRFLOW_CONN_WOLKVOX_DEFAULT`` for this host."""
        host = f"http://127.0.0.1:{self.server.server_port}"
        of = {"conn_type": "wolkvox", "host": host, "password": "token", "extra": {"wolkvox_server": "0041", **extra}}
        return json.dumps(of)

    def connect(self, **extra: Any) -> None:
        """Make the host the test's ``wolkvox_default``; the fixture takes it back."""
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = self.connection(**extra)


@contextmanager
def export_host() -> Iterator[ExportHost]:
    """The host, for the length of a ``with`` block."""
    host = ExportHost()
    try:
        yield host
    finally:
        host.server.shutdown()
        host.server.server_close()


def ago(**time: float) -> datetime:
    """So long ago."""
    return datetime.now(timezone.utc) - timedelta(**time)


def coded(
    ledger: Database,
    *customers: str,
    campaign: str = "17",
    kind: str = "preview",
    code: str = "5",
    code_2: str | None = None,
    sent_at: datetime | None = None,
    protected_until: datetime | None = None,
    attempts: int = 1,
) -> None:
    """Contacts that wolkvox took; two hours ago, unless said otherwise."""
    for customer in customers:
        params = {"kind": kind, "campaign": campaign, "customer": customer, "code": code, "code_2": code_2}
        times = {"sent_at": sent_at or ago(hours=2), "protected_until": protected_until, "attempts": attempts}
        ledger.connection.execute(CONTACT, params | times)


def shown(
    customer: str, code: str = "5", *, result: str = "ANSWER", calls: str = "0", date: datetime | str = "", **more: Any
) -> dict[str, Any]:
    """A record of an export, on Bogota's clock."""
    if isinstance(date, datetime):
        date = f"{date.astimezone(BOGOTA):%Y-%m-%d %H:%M:%S}"
    record = {"id_cliente": customer, "cod_rslt1": code, "cod_rslt2": "", "resultado": result, "llamadas": calls}
    return {**record, "fecha": date, **more}
