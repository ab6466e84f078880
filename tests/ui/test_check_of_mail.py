"""``python -m wolkvox check`` says in one line whom a DAG's alerts reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Database
from mailbox_server import Mailbox
from sandbox_server import SandboxServer

from wolkvox.cli.check import check
from wolkvox.cli.check.finding import Finding
from wolkvox.ledger.connection import now_of
from wolkvox.ledger.notifications import mark_undelivered

DAG = "wolkvox_codify"


@pytest.fixture(autouse=True)
def deployment(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    """What else a DAG needs."""


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with Mailbox() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection())
        yield server


def mail() -> Finding:
    """The line about mail."""
    (found,) = [one for one in check(DAG) if one.name == f"{DAG} mail"]
    assert "\n" not in found.message
    return found


def test_without_an_smtp_connection_alerts_are_in_the_log() -> None:
    assert mail() == Finding(f"{DAG} mail", True, "none: there is no SMTP connection, alerts are in the log only")


def test_a_server_that_takes_a_connection_is_named_and_no_message_is_sent(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_WOLKVOX_ALERT_TO", "Ana <ana@example.com>; luis@example.com")
    port = mailbox.server_address[1]
    assert mail().message == f"127.0.0.1:{port} takes a connection; alerts go to 2 address(es)"
    assert (mailbox.connections, mailbox.attempts, mailbox.mails) == (1, [], [])


def test_what_is_no_address_is_told(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_WOLKVOX_ALERT_TO", "ana@example.com; luis")
    found = mail()
    assert not found.ok
    assert "'luis' is no e-mail address" in found.message


@pytest.mark.parametrize("away", [True, False])
def test_a_server_that_takes_no_connection_is_told(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    if away:
        mailbox.away = True
    else:
        mailbox.shutdown()
        mailbox.server_close()
    found = mail()
    assert not found.ok
    assert "takes no connection" in found.message
    assert "Check its host, port" in found.message


def test_who_is_not_reached_is_named_with_the_reason(mailbox: Mailbox, ledger: Database) -> None:
    now = now_of(ledger.connection)
    mark_undelivered(ledger.connection, "0041", DAG, "luis@example.com", "550 no such user", now)
    found = mail()
    assert not found.ok
    assert f"luis@example.com since {now:%Y-%m-%d %H:%M} UTC: 550 no such user" in found.message
