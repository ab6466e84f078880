"""The morning's report reaches each recipient once, whatever becomes of an attempt, and who misses it is named."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Database
from debian import program
from mailbox_server import Mailbox
from sandbox_server import SandboxServer

from wolkvox.airflow_core.dags import DagState
from wolkvox.errors import BadSetting, Unaccounted
from wolkvox.ledger import notifications
from wolkvox.ledger.connection import connected
from wolkvox.ledger.notifications import begin_delivery
from wolkvox.ledger.report_deliveries import undelivered_reports
from wolkvox.operators import WolkvoxReportOperator
from wolkvox.page.reading import first_screen

DAG = "wolkvox_report"
TWO = ["ana@example.com", "luis@example.com"]


@pytest.fixture
def mailbox(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with Mailbox() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection())
        yield server


def send(*to: str, language: str = "en") -> dict[str, Any]:
    """A run of the task."""
    task = WolkvoxReportOperator(task_id="report", to=list(to or TWO), language=language)
    context: Any = {"ti": SimpleNamespace(dag_id=DAG, run_id="morning")}
    return task.execute(context)


def reached(mailbox: Mailbox) -> list[str]:
    return [recipient for recipients, _ in mailbox.mails for recipient in recipients]


def contact(ledger: Database) -> None:
    """A contact of yesterday, two minutes late."""
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, state,"
        " contacted_at, staged_at, settled_at) SELECT gen_random_uuid(), '0041', 'preview', '1', '573001234567',"
        " 'coded', noon - interval '2 minutes', noon, noon FROM (SELECT (date_trunc('day', now() AT TIME ZONE"
        " 'America/Bogota') - interval '12 hours') AT TIME ZONE 'America/Bogota' AS noon) AS yesterday"
    )


@pytest.mark.parametrize(
    ("language", "title", "within"),
    [("en", "Report of", "Within 6 min: 100%"), ("es", "Informe del", "En menos de 6 min: 100\u00a0%")],
)
def test_each_subscriber_gets_yesterday_in_the_operations_language(
    ledger: Database, mailbox: Mailbox, tmp_path: Path, language: str, title: str, within: str
) -> None:
    contact(ledger)
    done = send(language=language)
    assert (done["mailed"], done["had_it"]) == (2, 0)
    assert reached(mailbox) == TWO
    mail = mailbox.messages[0]
    assert (mail["From"], mail["To"]) == ("airflow@example.com", TWO[0])
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    for said in (title, done["day"], within):
        assert said in plain.get_content()
    assert f"{title} {done['day']}" in html.get_content()
    (pdf,) = [part for part in mail.walk() if part.get_content_type() == "application/pdf"]
    assert pdf.get_filename() == f"wolkvox-{done['day']}.pdf"
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf.get_content())
    reader = program("pdftotext", "poppler-utils")
    text = subprocess.run([reader, path, "-"], capture_output=True, text=True, check=True).stdout
    assert f"{title} {done['day']}" in text
    assert "573001234567" not in text + plain.get_content() + html.get_content()


def test_a_retry_mails_those_alone_whom_the_first_attempt_did_not_reach(ledger: Database, mailbox: Mailbox) -> None:
    mailbox.refuses[TWO[0]] = "451 later"
    with pytest.raises(Unaccounted, match="1 of 2"):
        send()
    assert reached(mailbox) == [TWO[1]]
    mailbox.refuses.clear()
    assert send()["mailed"] == 1
    assert reached(mailbox) == [TWO[1], TWO[0]]
    assert (send()["mailed"], len(mailbox.mails)) == (0, 2)


def test_a_new_day_has_a_report_of_its_own(ledger: Database, mailbox: Mailbox) -> None:
    send()
    for table in ("alert", "notification"):
        ledger.execute(f"UPDATE wolkvox.{table} SET firing_since = firing_since - %s", timedelta(days=1))
    send()
    assert reached(mailbox) == TWO * 2


def test_who_can_not_be_reached_is_told_like_those_whom_alerts_do_not_reach(ledger: Database, mailbox: Mailbox) -> None:
    mailbox.refuses[TWO[0]] = "550 no such user"
    with pytest.raises(Unaccounted):
        send()
    (failing,) = undelivered_reports(ledger.connection, "0041").values()
    assert (failing.recipient, failing.reason) == (TWO[0], "550 no such user")
    screen = first_screen(airflow=lambda _: DagState(False, None))
    assert "undelivered" in {one["name"] for one in screen["health"]["findings"]}
    assert screen["health"]["findings"] == [one for one in screen["health"]["findings"] if one["name"] != "alert"]
    send(TWO[1])
    assert undelivered_reports(ledger.connection, "0041") == {}, "nobody waits for who no longer subscribes"


def test_without_a_mail_server_each_recipient_is_undelivered_with_the_reason(
    ledger: Database, sandbox: SandboxServer
) -> None:
    with pytest.raises(Unaccounted):
        send()
    reasons = {one.reason for one in undelivered_reports(ledger.connection, "0041").values()}
    assert reasons == {"there is no SMTP connection 'smtp_default': make one"}


def test_the_check_names_who_misses_the_reports(ledger: Database, mailbox: Mailbox) -> None:
    from airflow.dag_processing.dagbag import DagBag

    from wolkvox.cli.check.mail import check_mail

    dag = DagBag(Path(__file__).parents[2] / "dags" / "wolkvox_codify.py").dags["wolkvox_codify"]
    mailbox.refuses[TWO[0]] = "550 no such user"
    with pytest.raises(Unaccounted):
        send()
    stage: Any = dag.get_task("stage")
    with pytest.raises(BadSetting, match=r"Reports don't reach ana@example.com since .* 550 no such user"):
        check_mail(stage)


def test_a_second_attempt_at_the_same_time_mails_nothing_and_is_no_success(
    ledger: Database, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "LOCK_WAIT", "50ms")
    contact(ledger)
    with connected(WolkvoxReportOperator(task_id="report", to=[]).ledger_conn_id) as other:
        assert begin_delivery(other, "0041", DAG)
        with pytest.raises(Unaccounted, match="Another attempt"):
            send()
    assert reached(mailbox) == []
    assert send()["mailed"] == len(TWO)
