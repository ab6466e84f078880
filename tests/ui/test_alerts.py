"""Who is told what: a failed, a late and a degraded run, by e-mail or by any other notifier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseNotifier
from airflow.sdk.execution_time.callback_supervisor import execute_callback
from conftest import Database
from mailbox_server import Mailbox

from wolkvox.errors import BadSetting, LedgerUnavailable, Unaccounted
from wolkvox.notifier import WolkvoxAlert, message

DAG_FILE = Path(__file__).parents[2] / "dags" / "wolkvox_codify.py"
NO_NEWS: dict[str, dict[str, str]] = {"began": {}, "lasts": {}, "ended": {}}


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with Mailbox() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection())
        yield server


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


def news(**changes: dict[str, str]) -> dict[str, Any]:
    """A summary in which this is new."""
    return {"news": {**NO_NEWS, **changes}}


@pytest.mark.parametrize(
    ("changes", "subject", "lines"),
    [
        ({"began": {"quota": "950 used."}}, "is degraded", ["950 used."]),
        ({"began": {"quota": "950 used.", "red:missing": "7 gone."}}, "failed", ["950 used.", "7 gone."]),
        ({"began": {"outage": "Away."}}, "failed", ["Away."]),
        ({"lasts": {"quota": "950 used."}}, "is still degraded", ["Still: 950 used."]),
        ({"lasts": {"outage": "Away."}}, "is still failing", ["Still: Away."]),
        ({"ended": {"outage": "Away."}}, "is better", ["Over: Away."]),
        (
            {"began": {"quota": "950 used."}, "lasts": {"parked:x": "Parked."}, "ended": {"outage": "Away."}},
            "is degraded",
            ["950 used.", "Still: Parked.", "Over: Away."],
        ),
    ],
)
def test_changes_are_told_in_one_message(changes: dict[str, dict[str, str]], subject: str, lines: list[str]) -> None:
    assert message({**NO_NEWS, **changes}) == (subject, lines)


def test_a_run_without_news_sends_nothing_red_or_not(mailbox: Mailbox) -> None:
    WolkvoxAlert()(context(news()))
    WolkvoxAlert()(context(news(), exception=Unaccounted("12 records are waiting.")))
    assert mailbox.mails == []


def test_a_degraded_run_is_mailed_to_the_connections_sender(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/sub")
    WolkvoxAlert()(context(news(began={"quota": "950 of today's 1000 calls are used."})))
    ((recipients, text),) = mailbox.mails
    assert recipients == ["airflow@example.com"]
    assert text.startswith("wolkvox_codify is degraded\n")
    assert "950 of today&#x27;s 1000 calls are used" in text
    assert "https://airflow.example.com/sub/dags/wolkvox_codify/runs/run%201" in text


def test_where_airflow_does_not_know_its_address_no_link_is_made_up(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "/sub")
    WolkvoxAlert()(context(news(began={"quota": "950 used."})))
    assert "Run run 1: dags/wolkvox_codify/runs/run%201 in Airflow" in mailbox.mails[0][1]


def test_a_failed_run_is_mailed_to_whom_the_variable_names(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_WOLKVOX_ALERT_TO", "one@example.com, two@example.com")
    said = "<b>12</b> records {{ 1 + 1 }} {% are %} waiting."
    WolkvoxAlert()(context(news(began={"red:waiting": said}), exception=Unaccounted(said)))
    ((recipients, text),) = mailbox.mails
    assert recipients == ["one@example.com", "two@example.com"]
    assert text.startswith("wolkvox_codify failed\n")
    assert "&lt;b&gt;12&lt;/b&gt; records {{ 1 + 1 }} { % are %} waiting." in text


def test_a_verdict_that_could_not_be_reached_is_told_of_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr(
        "wolkvox.notifier.Variable", SimpleNamespace(get=lambda name, default: kept.get(name), set=kept.__setitem__)
    )
    sent: list[str] = []

    def alert(told: Any) -> None:
        WolkvoxAlert(notifiers=[Kept(sent)])(told)

    for error in (LedgerUnavailable("Away."), LedgerUnavailable("Away."), BadSetting("Wrong.")):
        alert(context({}, exception=error))
    assert [text.partition("\n")[0] for text in sent] == [
        "wolkvox_codify failed: Away.",
        "wolkvox_codify failed: Wrong.",
    ]
    (name,) = kept
    told = json.loads(kept[name])
    kept[name] = json.dumps({**told, "at": "2026-03-01T00:00:00+00:00"})
    alert(context({}, exception=BadSetting("Wrong.")))
    assert len(sent) == 3


def test_a_run_that_is_over_when_its_deadline_comes_sends_nothing(ledger: Database) -> None:
    run = {"dag_id": "wolkvox_codify", "dag_run_id": "run 1"}
    late = {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-03-02T18:00:00Z"}}
    sent: list[str] = []
    ledger.execute(
        "INSERT INTO wolkvox.run VALUES ('0041', 'wolkvox_codify', 'run 1', now(), now(), 'failed', '{}', now(), now())"
    )
    WolkvoxAlert(notifiers=[Kept(sent)])(late)
    assert sent == []
    ledger.execute("UPDATE wolkvox.run SET state = 'running', ended_at = NULL")
    WolkvoxAlert(notifiers=[Kept(sent)])(late)
    assert len(sent) == 1


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


def test_each_operation_has_addresses_of_its_own(mailbox: Mailbox) -> None:
    WolkvoxAlert(to=["ana@example.com", "luis@example.com"])(context(news(began={"quota": "950 used."})))
    assert [recipients for recipients, _ in mailbox.mails] == [["ana@example.com", "luis@example.com"]]
