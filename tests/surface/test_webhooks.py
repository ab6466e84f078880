"""Alerts as signed events to a real HTTP server: each with a key by which the receiver opens and resolves it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from mailbox_server import Mailbox

from wolkvox.delivery.webhook import HEADER, signature
from wolkvox.errors import LedgerUnavailable
from wolkvox.ledger.alerts import note
from wolkvox.ledger.connection import now_of
from wolkvox.ledger.notifications import undelivered
from wolkvox.notifier import WolkvoxAlert

if TYPE_CHECKING:
    from conftest import Database

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.md"
DAG, SECRET, HIDDEN_PATH = "wolkvox_codify", "not for others", "/hooks/t0ken"
SUMMARY = {"operation": "0041", "zone": "America/Bogota", "news": {"firing": {}, "resolved": {}}}


class Receiver(ThreadingHTTPServer):
    """The other system: ``got`` are the requests' signatures and bodies, ``status`` is what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status, self.got = 202, list[tuple[str, bytes]]()

    def events(self) -> list[tuple[str, str]]:
        """What came, by action and key."""
        bodies = [json.loads(body) for _, body in self.got]
        return [(body["action"], body["key"]) for body in bodies]


class Taking(BaseHTTPRequestHandler):
    """Takes an event."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == HIDDEN_PATH:
            server.got.append((self.headers[HEADER], body))
        self.send_response(server.status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}{HIDDEN_PATH}"
    connect(monkeypatch, host=address, password=SECRET)
    yield server
    server.shutdown()
    server.server_close()


def connect(monkeypatch: pytest.MonkeyPatch, **connection: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PAGER", json.dumps({"conn_type": "http", **connection}))


def run(ledger: Database, *names: str) -> None:
    """A run in which these alerts have their cause, and its callback."""
    current = {name: f"{name}!" for name in names}
    note(ledger.connection, "0041", DAG, current, now_of(ledger.connection))
    WolkvoxAlert(webhook="pager")(context(SUMMARY))


def context(summary: dict[str, Any], **more: Any) -> Any:
    """What a callback of ``verdict`` is given."""
    ti = SimpleNamespace(task_id="verdict", xcom_pull=lambda task_ids: summary)
    return {"ti": ti, "dag_run": SimpleNamespace(dag_id=DAG, run_id="run 1"), **more}


def later(ledger: Database, **length: float) -> None:
    """Let time pass."""
    for table, columns in (
        ("alert", ("firing_since", "seen_at", "resolved_at")),
        ("notification", ("firing_since", "notified_at")),
        ("undelivered", ("since", "tried_at")),
    ):
        moved = ", ".join(f"{column} = {column} - %(length)s" for column in columns)
        ledger.connection.execute(f"UPDATE wolkvox.{table} SET {moved}".encode(), {"length": timedelta(**length)})


def unreached(ledger: Database) -> list[str]:
    """Why recipients are not reached."""
    return [one.reason for one in undelivered(ledger.connection, "0041", DAG).values()]


def test_an_alert_opens_and_resolves_under_one_key_and_in_between_says_nothing(
    ledger: Database, receiver: Receiver
) -> None:
    run(ledger, "quota")
    run(ledger, "quota")
    assert receiver.events() == [("trigger", "0041/wolkvox_codify/quota")]
    later(ledger, hours=2)
    run(ledger)
    assert receiver.events()[1:] == [("resolve", "0041/wolkvox_codify/quota")]
    event = json.loads(receiver.got[-1][1])
    assert (event["version"], event["operation"], event["alert"], event["message"]) == (1, "0041", "quota", "quota!")
    assert event["firing_since"] < event["resolved_at"]


def test_each_alert_has_an_event_of_its_own(ledger: Database, receiver: Receiver) -> None:
    run(ledger, "quota", "outage")
    assert sorted(key for _, key in receiver.events()) == ["0041/wolkvox_codify/outage", "0041/wolkvox_codify/quota"]


def test_whoever_has_the_secret_can_tell_that_body_and_time_are_ours(ledger: Database, receiver: Receiver) -> None:
    run(ledger, "quota")
    ((header, body),) = receiver.got
    given = dict(part.split("=") for part in header.split(","))
    assert abs(time.time() - int(given["t"])) < 60
    signed = hmac.new(SECRET.encode(), f"{given['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(given["v1"], signed)
    assert SECRET.encode() not in body


def test_the_receiver_in_the_docs_takes_what_is_ours_and_refuses_what_is_changed_or_old() -> None:
    code = re.findall(r"```python\n(import hashlib.*?)```", ALERTS.read_text(encoding="utf-8"), re.DOTALL)[0]
    receiver: dict[str, Any] = {}
    exec(code, receiver)
    now, genuine = int(time.time()), receiver["is_genuine"]
    assert genuine(signature(SECRET, b"{}", now), b"{}", SECRET)
    assert not genuine(signature(SECRET, b"{}", now), b"{ }", SECRET)
    assert not genuine(signature(SECRET, b"{}", now - 301), b"{}", SECRET)
    assert not genuine(signature("another", b"{}", now), b"{}", SECRET)


def test_people_get_the_mail_as_well(ledger: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mailbox() as mailbox:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", mailbox.connection())
        note(ledger.connection, "0041", DAG, {"quota": "quota!"}, now_of(ledger.connection))
        WolkvoxAlert(to="ana@example.com", webhook="pager")(context(SUMMARY))
        assert len(mailbox.mails) == 1
    assert receiver.events() == [("trigger", "0041/wolkvox_codify/quota")]


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_comes_again_and_the_ledger_says_why(
    ledger: Database, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    run(ledger, "quota")
    assert unreached(ledger) == [f"The webhook of 'pager' answered HTTP {status}."]
    receiver.status = 204
    later(ledger, minutes=5)
    run(ledger, "quota")
    assert receiver.events() == [("trigger", "0041/wolkvox_codify/quota")] * 2
    assert unreached(ledger) == []


def test_what_fired_and_resolved_unheard_opens_and_resolves(ledger: Database, receiver: Receiver) -> None:
    receiver.status = 503
    run(ledger, "quota")
    receiver.got.clear()
    receiver.status = 200
    later(ledger, hours=2)
    run(ledger)
    assert [action for action, _ in receiver.events()] == ["trigger", "resolve"]


def test_an_address_is_in_no_reason_and_no_log(
    ledger: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    connect(monkeypatch, host=f"http://127.0.0.1:9{HIDDEN_PATH}", password=SECRET)
    run(ledger, "quota")
    assert unreached(ledger) == ["The webhook of 'pager' gave no answer: ConnectionError."]
    said = "".join(capfd.readouterr())
    assert HIDDEN_PATH not in said
    assert SECRET not in said


@pytest.mark.parametrize("missing", [{"host": "https://pager.example.com/x"}, {"host": "x", "password": "y"}])
def test_a_connection_without_an_address_or_a_secret_is_named(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, missing: dict[str, str]
) -> None:
    connect(monkeypatch, **missing)
    run(ledger, "quota")
    (reason,) = unreached(ledger)
    assert reason.startswith("Connection 'pager' needs the webhook's whole address")


def test_a_message_without_the_ledger_has_no_key_as_nothing_would_resolve_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolkvox.delivery.memory.Variable", SimpleNamespace(get=lambda *_, **__: None, set=print))
    away = LedgerUnavailable("Away.")
    WolkvoxAlert(webhook="pager")(context({}, exception=away))
    ((_, body),) = receiver.got
    event = json.loads(body)
    assert (event["action"], event["key"], event["dag_id"], event["message"]) == ("notice", None, DAG, "Away.")
