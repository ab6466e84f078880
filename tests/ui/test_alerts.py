"""Who is told what: a failed, a late and a degraded run, by e-mail or by any other notifier."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseNotifier
from airflow.sdk.execution_time.callback_supervisor import execute_callback

from wolkvox.errors import Unaccounted
from wolkvox.notifier import WolkvoxAlert, degradations

DAG_FILE = Path(__file__).parents[2] / "dags" / "wolkvox_codify.py"
NOW = datetime(2026, 3, 2, 15, tzinfo=timezone.utc)
GOOD = {
    "failed_ratio": 0.01,
    "rejected": 1,
    "failed": 0,
    "waiting": 5,
    "oldest_waiting": "2026-03-02T10:00:00+00:00",
    "quota_limit": 1_000,
    "quota_calls": 899,
    "quota_resets_at": "2026-03-03T05:00:00+00:00",
}


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it is given."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []
        super().__init__(("127.0.0.1", 0), _Delivery)


class _Delivery(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        recipients: list[str] = []
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            command = line.decode().strip()
            if command.upper().startswith("RCPT"):
                recipients.append(command.partition("<")[2].rstrip(">"))
            if command.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n")), policy=default)
                body = mail.get_body()
                self.server.mails.append((recipients, f"{mail['Subject']}\n{body.get_content() if body else ''}"))
            self.wfile.write(b"250 ok\r\n")
            if command.upper() == "QUIT":
                return


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"},
        }
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        yield server
        server.shutdown()


class Kept(BaseNotifier):
    """Any other notifier, with a template."""

    template_fields = ("text",)

    def __init__(self, sent: list[str]) -> None:
        super().__init__()
        self.text = "{{ wolkvox.subject }}: {{ wolkvox.text }}"
        self.sent = sent

    def notify(self, context: Any) -> None:
        self.sent.append(self.text)


def context(summary: dict[str, Any], **more: Any) -> Any:
    """What a callback of ``verdict`` is given."""
    ti = SimpleNamespace(task_id="verdict", xcom_pull=lambda task_ids: summary if task_ids == "verdict" else None)
    return {"ti": ti, "dag_run": SimpleNamespace(dag_id="wolkvox_codify", run_id="run 1"), **more}


def found(**changes: Any) -> list[str]:
    """What is said of a good summary with these changes."""
    return degradations({**GOOD, **changes}, refusals=0.02, backlog_age=timedelta(hours=24), quota=0.9, now=NOW)


def test_a_good_run_is_not_degraded() -> None:
    assert found() == []
    assert found(oldest_waiting=None, waiting=0, quota_limit=None) == []
    assert degradations({}, refusals=0.02, backlog_age=timedelta(hours=24), quota=0.9, now=NOW) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failed_ratio": 0.021, "rejected": 21}, "2.1% of the records were refused or failed (21 rejected, 0 failed)"),
        ({"oldest_waiting": "2026-03-01T14:00:00+00:00"}, "The oldest of 5 waiting contacts is of 2026-03-01T14:00"),
        ({"new": 0, "invalid": 40}, "40 rows can't be sent, where 40 came in"),
        ({"new": 97, "invalid": 1, "codes_unknown": 2}, "3 rows can't be sent, where 98 came in"),
        ({"quota_calls": 900}, "900 of today's 1000 calls are used"),
    ],
)
def test_each_threshold_is_told_of(changes: dict[str, Any], said: str) -> None:
    (line,) = found(**changes)
    assert said in line


def test_a_good_run_sends_nothing(mailbox: Mailbox) -> None:
    WolkvoxAlert(backlog_age=timedelta(days=99_999))(context(GOOD))
    assert mailbox.mails == []


def test_a_degraded_run_is_mailed_to_the_connections_sender(mailbox: Mailbox) -> None:
    WolkvoxAlert()(context({**GOOD, "oldest_waiting": None, "quota_calls": 950}))
    ((recipients, text),) = mailbox.mails
    assert recipients == ["airflow@example.com"]
    assert text.startswith("wolkvox_codify is degraded\n")
    assert "950 of today&#x27;s 1000 calls are used" in text
    assert "/dags/wolkvox_codify/runs/run%201" in text


def test_a_failed_run_is_mailed_to_whom_the_variable_names(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_WOLKVOX_ALERT_TO", "one@example.com, two@example.com")
    WolkvoxAlert()(context({}, exception=Unaccounted("<b>12</b> records {{ 1 + 1 }} {% are %} waiting.")))
    ((recipients, text),) = mailbox.mails
    assert recipients == ["one@example.com", "two@example.com"]
    assert text.startswith("wolkvox_codify failed\n")
    assert "&lt;b&gt;12&lt;/b&gt; records {{ 1 + 1 }} { % are %} waiting." in text


def test_an_error_that_may_quote_a_customer_is_only_named() -> None:
    sent: list[str] = []
    WolkvoxAlert(notifiers=[Kept(sent)])(context({}, exception=ValueError("customer 573001234567")))
    assert sent[0].startswith("wolkvox_codify failed: ValueError: see the log of the task.")


def test_a_late_run_is_told_of_with_what_a_deadline_gives() -> None:
    sent: list[str] = []
    run = {"dag_id": "wolkvox_codify", "dag_run_id": "run 1"}
    late = {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-03-02T18:00:00Z"}}
    WolkvoxAlert(notifiers=[Kept(sent)])(late)
    assert sent[0].startswith("wolkvox_codify takes too long: The run should have ended by 2026-03-02T18:00:00Z.")


def test_the_dags_deadline_tells_through_airflows_own_callback(mailbox: Mailbox) -> None:
    deadlines: Any = DagBag(dag_folder=DAG_FILE).dags["wolkvox_codify"].deadline
    (deadline,) = deadlines
    run = {"dag_id": "wolkvox_codify", "dag_run_id": "run 1"}
    late = {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-03-02T18:00:00Z"}}
    kwargs = {**deadline.callback.kwargs, "context": late}
    assert execute_callback(deadline.callback.path, kwargs, DAG_FILE, None, structlog.get_logger()) == (True, None)
    assert mailbox.mails[0][1].startswith("wolkvox_codify takes too long")


def test_without_a_mail_connection_the_alert_is_logged_only(capsys: pytest.CaptureFixture[str]) -> None:
    WolkvoxAlert()(context({}, exception=Unaccounted("12 records are waiting.")))
    assert "12 records are waiting." in capsys.readouterr().out
