"""Who is told what: a failed, a late and a degraded run, by e-mail or by any other notifier, once, and in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
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
from wolkvox.ledger.alerts import note
from wolkvox.ledger.connection import now_of
from wolkvox.ledger.notifications import begin_delivery, undelivered
from wolkvox.notifier import WolkvoxAlert

DAG = "wolkvox_codify"
DAG_FILE = Path(__file__).parents[2] / "dags" / "wolkvox_codify.py"
SUMMARY = {"operation": "0041", "zone": "America/Bogota", "news": {"firing": {}, "resolved": {}}}
RUN = {"dag_id": DAG, "dag_run_id": "run 1"}
LATE = {"dag_run": RUN, "deadline": {"id": "1", "deadline_time": "2026-03-02T18:00:00Z"}}
TWO = ["ana@example.com", "luis@example.com"]
TIMES = (
    ("alert", ("firing_since", "seen_at", "resolved_at")),
    ("notification", ("firing_since", "notified_at")),
    ("undelivered", ("since", "tried_at")),
)


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


class Broken(BaseNotifier):
    """A notifier that raises while ``broken`` holds something."""

    def __init__(self, broken: list[bool], sent: list[str]) -> None:
        super().__init__()
        self.broken, self.sent = broken, sent

    def notify(self, context: Any) -> None:
        if self.broken:
            raise RuntimeError("https://hooks.example.com/secret is away")
        self.sent.append(context["wolkvox"]["subject"])


class Days:
    """Runs of a DAG, the ledger's clock moved between two of them."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger

    def verdict(self, *names: str) -> None:
        """What ``verdict`` notes of a run: these alerts have their cause."""
        now = now_of(self.ledger.connection)
        note(self.ledger.connection, "0041", DAG, {name: f"{name}!" for name in names}, now)

    def run(self, *names: str, alert: WolkvoxAlert | None = None) -> None:
        """A run, and its callback."""
        self.verdict(*names)
        (alert or WolkvoxAlert(to=TWO))(context(SUMMARY))

    def later(self, **length: float) -> None:
        """Let time pass."""
        length_ = timedelta(**length)
        for table, columns in TIMES:
            moved = ", ".join(f"{column} = {column} - %(length)s" for column in columns)
            self.ledger.connection.execute(f"UPDATE wolkvox.{table} SET {moved}".encode(), {"length": length_})

    def unreached(self) -> list[str]:
        """Recipients that the ledger says aren't reached."""
        return list(undelivered(self.ledger.connection, "0041", DAG))


@pytest.fixture
def days(ledger: Database) -> Days:
    return Days(ledger)


def context(summary: dict[str, Any], **more: Any) -> Any:
    """What a callback of ``verdict`` is given."""
    ti = SimpleNamespace(task_id="verdict", xcom_pull=lambda task_ids: summary if task_ids == "verdict" else None)
    return {"ti": ti, "dag_run": SimpleNamespace(dag_id=DAG, run_id="run 1"), **more}


def told(mailbox: Mailbox, address: str) -> list[str]:
    """The first lines of what an address was sent, without the DAG's name."""
    texts = [text.replace("<br>", "").splitlines() for recipients, text in mailbox.mails if recipients == [address]]
    return [f"{subject.removeprefix(DAG + ' ')}: {line}" for subject, line, *_ in texts]


def test_an_alert_is_told_when_it_fires_once_a_day_and_when_it_resolved(days: Days, mailbox: Mailbox) -> None:
    for _ in range(30):
        days.run("outage")
        days.later(hours=1)
    for _ in range(3):
        days.run()
        days.later(hours=1)
    expected = ["failed: outage!", "is still failing: Still firing: outage!", "is better: Resolved: outage!"]
    assert told(mailbox, TWO[0]) == told(mailbox, TWO[1]) == expected


def test_what_comes_and_goes_with_every_run_is_one_message(days: Days, mailbox: Mailbox) -> None:
    for number in range(30):
        days.run(*(["red:tasks"] if number % 3 == 0 else []))
        days.later(minutes=2)
    assert told(mailbox, TWO[0]) == ["failed: red:tasks!"]


def test_what_fires_again_within_a_day_is_told_as_such_and_resolves_after_a_day(days: Days, mailbox: Mailbox) -> None:
    for _ in range(16):
        days.run("invalid")
        days.later(minutes=59)
        days.run()
        days.later(minutes=61)
        days.run()
        days.later(hours=1)
    messages = told(mailbox, TWO[0])
    assert messages[:3] == [
        "is degraded: invalid!",
        "is better: Resolved: invalid!",
        "is degraded: Firing again: invalid!",
    ]
    assert set(messages[3:]) == {"is still degraded: Still firing: invalid!"}
    assert len(messages) <= 3 + 2


def test_a_run_without_anything_due_sends_nothing_red_or_not(ledger: Database, mailbox: Mailbox) -> None:
    WolkvoxAlert()(context(SUMMARY))
    WolkvoxAlert()(context(SUMMARY, exception=Unaccounted("12 records are waiting.")))
    assert mailbox.mails == []
    assert mailbox.connections == 0


# Everybody is told in the end, once


def test_a_server_that_answers_451_for_a_quarter_of_an_hour_is_tried_seldom_and_all_are_told_once(
    days: Days, mailbox: Mailbox
) -> None:
    mailbox.refuses = {"*": "451 4.7.1 greylisted"}
    for _ in range(15):
        days.run("red:tasks")
        days.later(minutes=1)
    assert (mailbox.mails, days.unreached()) == ([], TWO)
    assert len(mailbox.attempts) <= 2 * 6, "now, with the next run, after 2, 4, 8 minutes"
    mailbox.refuses = {}
    for _ in range(10):
        days.run("red:tasks")
        days.later(minutes=2)
    assert told(mailbox, TWO[0]) == told(mailbox, TWO[1]) == ["failed: red:tasks!"]
    assert days.unreached() == []


def test_a_server_that_is_away_for_an_hour_costs_nobody_a_message(days: Days, mailbox: Mailbox) -> None:
    days.run("outage")
    days.later(minutes=10)
    mailbox.away = True
    days.run("outage", "invalid")
    for _ in range(15):
        days.later(minutes=5)
        days.run()
    assert mailbox.connections <= 2 + 2 * 7
    mailbox.away = False
    days.later(hours=1)
    days.run("quota")
    for address in TWO:
        first, second = told(mailbox, address)
        assert (first, second) == ("failed: outage!", "is degraded: quota!")
    lines = mailbox.mails[-1][1].replace("<br>", "").splitlines()
    assert lines[1:3] == ["quota!", "Resolved: outage!"]
    assert lines[3].startswith("Resolved: invalid! It fired at 20")
    assert "America/Bogota and resolved at 20" in lines[3]


def test_of_two_recipients_the_one_who_is_refused_is_named_and_told_in_the_end(
    days: Days, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.refuses = {TWO[1]: "550 5.1.1 no such user"}
    for _ in range(24):
        days.run("red:tasks")
        days.later(minutes=30)
    assert told(mailbox, TWO[0]) == ["failed: red:tasks!"]
    (one,) = undelivered(days.ledger.connection, "0041", DAG).values()
    assert (one.recipient, one.reason) == (TWO[1], "550 5.1.1 no such user")
    assert one.tried_at - one.since > timedelta(hours=10), "since when it can't be reached is kept"
    mailbox.refuses = {}
    days.later(hours=1)
    days.run("red:tasks")
    days.run("red:tasks")
    assert told(mailbox, TWO[0]) == told(mailbox, TWO[1]) == ["failed: red:tasks!"]


def test_a_refused_recipient_who_is_taken_off_the_list_is_not_waited_for(days: Days, mailbox: Mailbox) -> None:
    mailbox.refuses = {TWO[1]: "550 no such user"}
    days.run("red:tasks")
    assert days.unreached() == [TWO[1]]
    days.run("red:tasks", alert=WolkvoxAlert(to=TWO[:1]))
    assert days.unreached() == []


def test_a_notifier_that_raises_keeps_no_other_from_telling_and_tells_once_when_it_can(days: Days) -> None:
    broken, sent, told_by_it = [True], list[str](), list[str]()

    def alert() -> WolkvoxAlert:
        return WolkvoxAlert(notifiers=[Broken(broken, told_by_it), Kept(sent), Kept(sent)])

    days.run("quota", alert=alert())
    days.run("quota", alert=alert())
    assert (len(sent), told_by_it, days.unreached()) == (2, [], ["Broken"])
    reasons = [one.reason for one in undelivered(days.ledger.connection, "0041", DAG).values()]
    assert reasons == ["RuntimeError"], "what it says may be a secret"
    broken.clear()
    days.later(minutes=5)
    days.run("quota", alert=alert())
    days.run("quota", alert=alert())
    assert (len(sent), told_by_it, days.unreached()) == (2, ["wolkvox_codify is degraded"], [])


def test_one_notifier_carries_one_message_after_the_other(days: Days) -> None:
    sent: list[str] = []
    alert = WolkvoxAlert(notifiers=[Kept(sent)])
    days.run("quota", alert=alert)
    days.run("quota", "outage", alert=alert)
    assert [text.splitlines()[0] for text in sent] == [
        "wolkvox_codify is degraded: quota!",
        "wolkvox_codify failed: outage!",
    ]


@pytest.mark.parametrize("odd", ["550 \x00\x07 no", "550 " + "x" * 3_000, "550 \u00f1o hay", "550", "999 odd"])
def test_whatever_a_server_answers_the_other_recipient_is_told(days: Days, mailbox: Mailbox, odd: str) -> None:
    mailbox.refuses = {TWO[0]: odd}
    days.run("quota")
    assert (told(mailbox, TWO[0]), told(mailbox, TWO[1])) == ([], ["is degraded: quota!"])
    (one,) = undelivered(days.ledger.connection, "0041", DAG).values()
    assert one.reason.isprintable()
    assert len(one.reason) <= 200


def test_a_clock_that_was_ahead_once_keeps_nobody_from_being_told(days: Days, mailbox: Mailbox) -> None:
    mailbox.refuses = {"*": "451 later"}
    for _ in range(3):
        days.run("quota")
        days.later(minutes=30)
    days.later(days=-365)
    mailbox.refuses = {}
    days.run("quota")
    assert told(mailbox, TWO[0]) == ["is degraded: quota!"]
    days.later(days=-365)
    days.run()
    assert told(mailbox, TWO[0])[1:] == ["is better: Resolved: quota!"]


def test_a_callback_that_waits_too_long_for_another_one_leaves_it_to_the_next_run(
    days: Days, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolkvox.ledger.notifications.LOCK_WAIT", "100ms")
    days.verdict("quota")
    assert begin_delivery(days.ledger.connection, "0041", DAG)
    WolkvoxAlert(to=TWO)(context(SUMMARY))
    assert mailbox.mails == []
    days.ledger.execute("SELECT pg_advisory_unlock_all()")
    days.run("quota")
    assert len(mailbox.mails) == 2


def test_two_callbacks_at_once_tell_one_thing_once(days: Days, mailbox: Mailbox) -> None:
    days.verdict("quota")
    together = Barrier(2)

    def call() -> None:
        together.wait()
        WolkvoxAlert(to=TWO)(context(SUMMARY))

    threads = [Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recipients for recipients, _ in mailbox.mails) == [[TWO[0]], [TWO[1]]]


def test_a_callback_without_the_ledger_sends_nothing_and_the_next_one_does(
    days: Days, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.verdict("quota")
    with monkeypatch.context() as away:
        away.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", "postgresql://nobody@127.0.0.1:9/none")
        WolkvoxAlert(to=TWO)(context(SUMMARY))
    assert mailbox.mails == []
    days.run("quota")
    assert len(mailbox.mails) == 2


def test_hundreds_of_alerts_at_once_are_one_short_message(days: Days, mailbox: Mailbox) -> None:
    names = [f"suspended:preview {number:03}" for number in range(300)]
    days.run(*names, alert=WolkvoxAlert(to=TWO[:1]))
    days.run(*names, alert=WolkvoxAlert(to=TWO[:1]))
    ((_, text),) = mailbox.mails
    lines = text.replace("<br>", "").splitlines()
    assert lines[1] == "suspended:preview 000!"
    assert lines[21] == "And 280 more alerts: see the page."


# What a message says


def test_a_degraded_run_is_mailed_to_the_connections_sender(
    days: Days, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/sub")
    days.run("today's quota", alert=WolkvoxAlert())
    ((recipients, text),) = mailbox.mails
    assert recipients == ["airflow@example.com"]
    assert text.startswith("wolkvox_codify is degraded\n")
    assert "today&#x27;s quota!" in text
    assert "https://airflow.example.com/sub/dags/wolkvox_codify/runs/run%201" in text


def test_where_airflow_does_not_know_its_address_no_link_is_made_up(
    days: Days, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "/sub")
    days.run("quota")
    assert "Run run 1: dags/wolkvox_codify/runs/run%201 in Airflow" in mailbox.mails[0][1]


def test_what_wolkvox_said_is_text_and_no_template(ledger: Database, mailbox: Mailbox) -> None:
    said = "<b>12</b> records {{ 1 + 1 }} {% are %} {% endraw %} waiting."
    note(ledger.connection, "0041", DAG, {"red:waiting": said}, now_of(ledger.connection))
    WolkvoxAlert()(context(SUMMARY, exception=Unaccounted(said)))
    ((_, text),) = mailbox.mails
    assert text.startswith("wolkvox_codify failed\n")
    assert "&lt;b&gt;12&lt;/b&gt; records {{ 1 + 1 }} { % are %} { % endraw %} waiting." in text


@pytest.mark.parametrize(
    "written",
    [
        "ana@example.com; luis@example.com",
        "Ana <ana@example.com>\nluis@example.com",
        '["ana@example.com", "luis@example.com"]',
        "ana@example.com, ana, luis@example.com",
    ],
)
def test_addresses_are_taken_as_people_write_them(
    days: Days, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_WOLKVOX_ALERT_TO", written)
    days.run("quota", alert=WolkvoxAlert())
    assert [recipients for recipients, _ in mailbox.mails] == [[address] for address in TWO]
    mailbox.mails.clear()
    days.run("quota", "outage", alert=WolkvoxAlert(to=written))
    assert [recipients for recipients, _ in mailbox.mails] == [[address] for address in TWO]


def test_what_is_no_address_is_left_aside_with_a_log_line(
    days: Days, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    days.run("quota", alert=WolkvoxAlert(to=["ana", "ana@example.com"]))
    assert "'ana' is no e-mail address" in caplog.text
    assert [recipients for recipients, _ in mailbox.mails] == [["ana@example.com"]]


def test_where_no_address_can_be_used_the_ledger_says_so(days: Days, mailbox: Mailbox) -> None:
    days.run("quota", alert=WolkvoxAlert(to=["ana"]))
    (one,) = undelivered(days.ledger.connection, "0041", DAG).values()
    assert "there is no address" in one.reason
    days.run("quota", alert=WolkvoxAlert(to=["ana@example.com"]))
    assert days.unreached() == []
    assert len(mailbox.mails) == 1


def test_without_a_mail_connection_the_alert_is_logged_once_and_mailed_when_there_is_one(
    days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    days.run("quota")
    assert "quota!" in capsys.readouterr().out
    days.run("quota")
    assert "quota!" not in capsys.readouterr().out
    with Mailbox() as mailbox, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", mailbox.connection())
        days.run("quota")
    assert len(mailbox.mails) == 2


# Without a summary


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Airflow's variables."""
    kept: dict[str, str] = {}
    stub = SimpleNamespace(get=lambda name, default: kept.get(name), set=kept.__setitem__)
    monkeypatch.setattr("wolkvox.delivery.memory.Variable", stub)
    return kept


def test_a_verdict_that_could_not_be_reached_is_told_of_once_a_day(variables: dict[str, str]) -> None:
    sent: list[str] = []

    def alert(told: Any) -> None:
        WolkvoxAlert(notifiers=[Kept(sent)])(told)

    for error in (LedgerUnavailable("Away."), LedgerUnavailable("Away."), BadSetting("Wrong.")):
        alert(context({}, exception=error))
    assert [text.partition("\n")[0] for text in sent] == [
        "wolkvox_codify failed: Away.",
        "wolkvox_codify failed: Wrong.",
    ]
    (name,) = variables
    known = json.loads(variables[name])
    variables[name] = json.dumps({"Kept": {**known["Kept"], "at": "2026-03-01T00:00:00+00:00"}})
    alert(context({}, exception=BadSetting("Wrong.")))
    assert len(sent) == 3


@pytest.mark.parametrize("odd", ["", "5", "[]", '{"words": "Away.", "at": "x"}', '{"Kept": {"words": "Away."}}', "{"])
def test_an_odd_memory_costs_at_most_a_message(variables: dict[str, str], odd: str) -> None:
    variables[f"wolkvox_notified_{DAG}"] = odd
    sent: list[str] = []
    for _ in range(2):
        WolkvoxAlert(notifiers=[Kept(sent)])(context({}, exception=LedgerUnavailable("Away.")))
    assert len(sent) == 1


def test_a_failure_that_reached_one_of_two_is_told_again_to_the_other(
    variables: dict[str, str], mailbox: Mailbox
) -> None:
    mailbox.refuses = {TWO[0]: "451 later"}
    WolkvoxAlert(to=TWO)(context({}, exception=LedgerUnavailable("Away.")))
    mailbox.refuses = {}
    for _ in range(2):
        WolkvoxAlert(to=TWO)(context({}, exception=LedgerUnavailable("Away.")))
    assert told(mailbox, TWO[0]) == told(mailbox, TWO[1]) == ["failed: Away."]


def test_an_error_that_may_quote_a_customer_is_only_named(variables: dict[str, str]) -> None:
    sent: list[str] = []
    WolkvoxAlert(notifiers=[Kept(sent)])(context({}, exception=ValueError("customer 573001234567")))
    assert sent[0].startswith("wolkvox_codify failed: ValueError: see the log of the task.")


# Late


def begin_run(ledger: Database, state: str = "running") -> None:
    ledger.execute(
        "INSERT INTO wolkvox.run VALUES ('0041', 'wolkvox_codify', 'run 1', now(), now(), %s, '{}', now(), now())",
        state,
    )


def test_a_run_that_is_over_when_its_deadline_comes_sends_nothing(ledger: Database) -> None:
    sent: list[str] = []
    begin_run(ledger, "failed")
    WolkvoxAlert(notifiers=[Kept(sent)])(LATE)
    assert sent == []
    ledger.execute("UPDATE wolkvox.run SET state = 'running', ended_at = NULL")
    WolkvoxAlert(notifiers=[Kept(sent)])(LATE)
    assert len(sent) == 1


def test_a_late_run_that_could_not_be_told_of_is_told_of_by_the_next_verdict(days: Days, mailbox: Mailbox) -> None:
    begin_run(days.ledger)
    mailbox.away = True
    WolkvoxAlert(to=TWO[:1])(LATE)
    assert days.unreached() == TWO[:1]
    mailbox.away = False
    days.run(alert=WolkvoxAlert(to=TWO[:1]))
    days.later(hours=2)
    days.run(alert=WolkvoxAlert(to=TWO[:1]))
    assert told(mailbox, TWO[0]) == [
        "takes too long: The run should have ended by 2026-03-02T18:00:00Z.",
        "is better: Resolved: The run should have ended by 2026-03-02T18:00:00Z.",
    ]


def test_runs_that_are_late_all_day_are_one_alert(days: Days, mailbox: Mailbox) -> None:
    begin_run(days.ledger)
    for _ in range(12):
        WolkvoxAlert(to=TWO)(LATE)
        days.run()
        days.later(minutes=50)
    assert len(told(mailbox, TWO[0])) == 1


def test_a_late_run_is_told_of_with_what_a_deadline_gives_even_without_a_ledger() -> None:
    sent: list[str] = []
    WolkvoxAlert(notifiers=[Kept(sent)])(LATE)
    assert sent[0].startswith("wolkvox_codify takes too long: The run should have ended by 2026-03-02T18:00:00Z.")


def test_the_dags_deadline_tells_through_airflows_own_callback(mailbox: Mailbox) -> None:
    deadlines: Any = DagBag(dag_folder=DAG_FILE).dags["wolkvox_codify"].deadline
    (deadline,) = deadlines
    kwargs = {**deadline.callback.kwargs, "context": LATE}
    assert execute_callback(deadline.callback.path, kwargs, DAG_FILE, None, structlog.get_logger()) == (True, None)
    assert mailbox.mails[0][1].startswith("wolkvox_codify takes too long")
