"""What wolkvox is asked before a run sends anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from conftest import Database
from sandbox_server import SandboxServer

from wolkvox.errors import BadToken
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.quota import QuotaState
from wolkvox.ledger.slots import Holder
from wolkvox.rules.answers import classify
from wolkvox.rules.patience import Patience
from wolkvox.stop import Stop
from wolkvox.tasks.asking import Asking
from wolkvox.tasks.preflight import calls_left, disposition_codes
from wolkvox.tasks.task import Task

HOLDER = Holder("dag", "run", "stage", -1, 1)


@pytest.fixture
def ask(ledger: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Asks one of the questions through a connection with this extra."""

    def ask(question: Callable[..., object], **extra: object) -> object:
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", sandbox.connection(**extra))
        with WolkvoxHook() as wolkvox:
            settings = wolkvox.settings
            task = Task("wolkvox_ledger", HOLDER, Stop(), 1.0, Patience())
            return question(Asking.of(task, settings, ledger.connection), wolkvox)

    return ask


Ask = Callable[..., object]


def waiting(ledger: Database) -> None:
    """One contact that waits."""
    ledger.execute("INSERT INTO wolkvox.codification (contact_key, operation) VALUES (gen_random_uuid(), '0041')")


def test_the_smaller_figure_of_settings_and_vendor_wins(ask: Ask, ledger: Database, sandbox: SandboxServer) -> None:
    waiting(ledger)
    sandbox.control(licenses=1, quota_used=900)
    assert ask(calls_left) == QuotaState(limit=100, calls=1, left=99)
    assert ask(calls_left, licenses=0.05, quota_reserve=10) == QuotaState(limit=40, calls=2, left=38)
    assert sandbox.stats()["calls"] == 2


def test_nothing_is_asked_when_nothing_waits_or_no_call_is_left(
    ask: Ask, ledger: Database, sandbox: SandboxServer
) -> None:
    assert ask(calls_left, licenses=1) == QuotaState(limit=1_000, calls=0, left=1_000)
    waiting(ledger)
    assert ask(calls_left, licenses=1, preflight=False) == QuotaState(limit=1_000, calls=0, left=1_000)
    assert ask(calls_left, licenses=0) == QuotaState(limit=0, calls=0, left=0)
    assert sandbox.stats()["calls"] == 0


def test_a_bad_token_is_said_at_once(
    ask: Ask, ledger: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(ledger)
    monkeypatch.setattr(sandbox, "token", "no such token")
    with pytest.raises(BadToken):
        ask(calls_left)


def test_the_codes_are_asked_for_once_a_day(ask: Ask, ledger: Database, sandbox: SandboxServer) -> None:
    sandbox.control(activity_codes=["5", "07"])
    assert ask(disposition_codes, preflight="codes") == {"5", "07"}
    sandbox.control(activity_codes=["9"])
    assert ask(disposition_codes, preflight="codes") == {"5", "07"}
    assert sandbox.stats()["calls"] == 1
    ledger.execute("UPDATE wolkvox.activity_codes SET fetched_at = fetched_at - %s", timedelta(hours=25))
    assert ask(disposition_codes, preflight="codes") == {"9"}


def test_codes_are_checked_only_where_that_is_asked_for_and_told(ask: Ask, sandbox: SandboxServer) -> None:
    sandbox.control(activity_codes=["5"])
    assert ask(disposition_codes) is None
    assert sandbox.stats()["calls"] == 0
    sandbox.control(activity_codes=None)
    assert ask(disposition_codes, preflight="codes") is None


def test_a_question_leaves_its_slot_free(ask: Ask, ledger: Database) -> None:
    waiting(ledger)
    for _ in range(3):
        ask(calls_left)
    assert ledger.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert ledger.rows("SELECT busy_until FROM wolkvox.slot") == [(None,)]


@pytest.mark.parametrize(("code", "stays_busy"), [(504, True), (524, True), (502, False), (503, False)])
def test_a_question_that_a_gateway_gave_up_on_leaves_its_slot_busy(
    ask: Ask, ledger: Database, monkeypatch: pytest.MonkeyPatch, code: int, stays_busy: bool
) -> None:
    """wolkvox may be at it for as long as a call lasts: two others beside it would be three."""
    waiting(ledger)
    answer = classify(code, {}, b"<html>", datetime.now(timezone.utc))
    monkeypatch.setattr(WolkvoxHook, "_call", lambda *_: (answer, b"<html>"))
    ask(calls_left, call_timeout=50)
    left = "SELECT extract(epoch FROM busy_until - clock_timestamp())::float FROM wolkvox.slot"
    (seconds,) = ledger.rows(left)[0]
    assert (seconds is not None and 40 < seconds <= 50) == stays_busy
    assert ledger.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
