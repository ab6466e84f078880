"""What wolkvox is asked before a run sends anything."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial

import psycopg
import pytest
from airflow.sdk import Connection
from conftest import Database
from sandbox_server import SandboxServer

from wolkvox.errors import BadSetting, BadToken
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.exports import SettledByExports
from wolkvox.ledger.leases import Owner
from wolkvox.ledger.quota import QuotaState
from wolkvox.rules.answers import classify
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Run
from wolkvox.stop import Stop
from wolkvox.tasks.exports import settle_by_exports
from wolkvox.tasks.permits import VendorClient
from wolkvox.tasks.preflight import agree_on_limit, disposition_codes, look_at_campaigns, requests_left
from wolkvox.tasks.task import Task
from wolkvox.vendor.session import KeptConnection
from wolkvox.vendor.settings import Settings, read_settings

OWNER = Owner("dag", "run", "stage", -1, 1)
TOKEN = "t0ken-of-both"


@pytest.fixture
def ask(ledger: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Asks one of the questions through a connection with this extra."""

    def ask(question: Callable[..., object], lease_timeout: float = 1.0, **extra: object) -> object:
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", sandbox.connection(**extra))
        with WolkvoxHook() as wolkvox:
            settings = wolkvox.settings
            task = Task("wolkvox_ledger", OWNER, Stop(), lease_timeout, RetryPolicy())
            return question(VendorClient.of(task, settings, ledger.connection), wolkvox)

    return ask


Ask = Callable[..., object]


def waiting(ledger: Database) -> None:
    """One contact that waits."""
    ledger.execute("INSERT INTO wolkvox.codification (contact_key, operation) VALUES (gen_random_uuid(), '0041')")


def test_the_smaller_figure_of_settings_and_vendor_wins(ask: Ask, ledger: Database, sandbox: SandboxServer) -> None:
    waiting(ledger)
    sandbox.control(licenses=1, quota_used=900)
    assert ask(requests_left) == QuotaState(limit=100, requests=1, left=99)
    assert ask(requests_left, licenses=0.05, quota_reserve=10) == QuotaState(limit=40, requests=2, left=38)
    assert sandbox.stats()["calls"] == 2


def test_nothing_is_asked_when_nothing_waits_or_no_call_is_left(
    ask: Ask, ledger: Database, sandbox: SandboxServer
) -> None:
    assert ask(requests_left, licenses=1) == QuotaState(limit=1_000, requests=0, left=1_000)
    waiting(ledger)
    assert ask(requests_left, licenses=1, preflight=False) == QuotaState(limit=1_000, requests=0, left=1_000)
    assert ask(requests_left, licenses=0) == QuotaState(limit=0, requests=0, left=0)
    assert sandbox.stats()["calls"] == 0


def test_a_bad_token_is_said_at_once(
    ask: Ask, ledger: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(ledger)
    monkeypatch.setattr(sandbox, "token", "no such token")
    with pytest.raises(BadToken):
        ask(requests_left)


def test_the_codes_are_asked_for_once_a_day(ask: Ask, ledger: Database, sandbox: SandboxServer) -> None:
    sandbox.control(activity_codes=["5", "07"])
    assert ask(disposition_codes, preflight="codes") == {"5", "07"}
    sandbox.control(activity_codes=["9"])
    assert ask(disposition_codes, preflight="codes") == {"5", "07"}
    assert sandbox.stats()["calls"] == 1
    ledger.execute("UPDATE wolkvox.activity_codes SET fetched_at = fetched_at - %s", timedelta(hours=25))
    assert ask(disposition_codes, preflight="codes") == {"9"}


def unknown_code(ledger: Database, cod_act: str) -> None:
    """One contact that waits, with this code."""
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, cod_act) VALUES (gen_random_uuid(), '0041', %s)",
        cod_act,
    )


def test_a_code_that_is_not_in_the_list_is_asked_for_before_its_contact_is_invalid(
    ask: Ask, ledger: Database, sandbox: SandboxServer
) -> None:
    sandbox.control(activity_codes=["5"])
    assert ask(disposition_codes, preflight="codes") == {"5"}
    sandbox.control(activity_codes=["5", "9"])
    ledger.execute("UPDATE wolkvox.activity_codes SET fetched_at = fetched_at - %s", timedelta(minutes=61))
    unknown_code(ledger, "5")
    assert ask(disposition_codes, preflight="codes") == {"5"}, "all that waits is in the list"
    unknown_code(ledger, "9")
    assert ask(disposition_codes, preflight="codes") == {"5", "9"}
    assert sandbox.stats()["calls"] == 2


def test_a_code_that_wolkvox_does_not_have_costs_one_request_an_hour(
    ask: Ask, ledger: Database, sandbox: SandboxServer
) -> None:
    sandbox.control(activity_codes=["5"])
    unknown_code(ledger, "typo")
    for _ in range(3):
        assert ask(disposition_codes, preflight="codes") == {"5"}
    assert sandbox.stats()["calls"] == 1


def test_a_list_of_the_future_is_as_good_as_old(ask: Ask, ledger: Database, sandbox: SandboxServer) -> None:
    sandbox.control(activity_codes=["5"])
    ask(disposition_codes, preflight="codes")
    sandbox.control(activity_codes=["9"])
    ledger.execute("UPDATE wolkvox.activity_codes SET fetched_at = fetched_at + interval '400 days'")
    assert ask(disposition_codes, preflight="codes") == {"9"}


@pytest.fixture
def busy(ledger: Database, sandbox: SandboxServer) -> Iterator[None]:
    """Both slots of the sandbox's token are held by somebody else."""
    fingerprint = WolkvoxHook().settings.fingerprint
    with psycopg.connect(ledger.uri, autocommit=True) as other:
        for number in range(2):
            other.execute("SELECT pg_advisory_lock(%s, %s)", (fingerprint, number))
        yield


@pytest.mark.parametrize("question", ["requests", "codes", "campaigns"])
def test_a_question_that_a_run_can_do_without_waits_for_a_slot_for_seconds_only(
    busy: None, ask: Ask, ledger: Database, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture, question: str
) -> None:
    waiting(ledger)
    ledger.execute("DELETE FROM wolkvox.campaign_sync")
    began = time.monotonic()
    with caplog.at_level(logging.INFO):
        if question == "requests":
            assert ask(requests_left, licenses=1, lease_timeout=600.0) == QuotaState(
                limit=1_000, requests=0, left=1_000
            )
        elif question == "codes":
            assert ask(disposition_codes, preflight="codes", lease_timeout=600.0) is None
        else:
            ask(partial(look_at_campaigns, by_hand=False), lease_timeout=600.0)
    assert 4.0 < time.monotonic() - began < 8.0
    assert "Both slots of the token are taken" in caplog.text
    assert sandbox.stats()["calls"] == 0
    assert ledger.rows("SELECT FROM wolkvox.campaign_sync") == [], "the next run asks"


def test_exports_are_left_out_after_one_wait(busy: None, ask: Ask, ledger: Database, sandbox: SandboxServer) -> None:
    for campaign in range(5):
        ledger.execute(
            "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id)"
            " VALUES (gen_random_uuid(), '0041', 'preview', %s)",
            str(campaign),
        )
    began = time.monotonic()
    run = Run("0041", "dag", "run")
    settled = ask(partial(settle_by_exports, run=run, seconds=3_600), export_preflight="on", lease_timeout=600.0)
    assert settled == SettledByExports()
    assert 4.0 < time.monotonic() - began < 8.0
    assert ledger.rows("SELECT FROM wolkvox.export") == [], "none was asked for"


# Who shares a token


def registered(ledger: Database, dag_id: str, wolkvox_conn_id: str) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.dag (dag_id, operation, wolkvox_conn_id) VALUES (%s, %s, %s)",
        dag_id,
        dag_id,
        wolkvox_conn_id,
    )


def told(conn_id: str, **extra: object) -> Settings:
    extra = {"wolkvox_server": "0041", **extra}
    return read_settings(Connection(conn_id=conn_id, password=TOKEN, extra=json.dumps(extra)))


@pytest.fixture
def two(ledger: Database) -> Database:
    """A ledger that knows two DAGs with a connection each."""
    registered(ledger, "sales", "wolkvox_sales")
    registered(ledger, "service", "wolkvox_service")
    return ledger


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ({"licenses": 1}, "'wolkvox_service' says 1000 requests a day, a reserve of 0 and days of America/Bogota"),
        ({}, "'wolkvox_service' says no licences"),
        ({"licenses": 20, "quota_reserve": 5}, "a reserve of 5"),
        ({"licenses": 20, "quota_timezone": "America/Lima"}, "days of America/Lima"),
    ],
)
def test_two_connections_that_share_a_token_and_do_not_agree_on_its_requests_are_refused(
    two: Database, ours: dict[str, object], message: str
) -> None:
    agree_on_limit(two.connection, "sales", told("wolkvox_sales", licenses=20))
    with pytest.raises(BadSetting, match="share a token") as refused:
        agree_on_limit(two.connection, "service", told("wolkvox_service", **ours))
    assert message in str(refused.value)
    assert "'wolkvox_sales' says 20000 requests a day, a reserve of 0 and days of America/Bogota" in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_correcting_either_of_the_two_is_enough(two: Database) -> None:
    agree_on_limit(two.connection, "sales", told("wolkvox_sales", licenses=20))
    with pytest.raises(BadSetting):
        agree_on_limit(two.connection, "service", told("wolkvox_service", licenses=1))
    agree_on_limit(two.connection, "sales", told("wolkvox_sales", licenses=1))
    agree_on_limit(two.connection, "service", told("wolkvox_service", licenses=1))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE wolkvox.dag SET staged_at = staged_at - interval '32 days' WHERE dag_id = 'sales'",
        "UPDATE wolkvox.dag SET staged_at = staged_at + interval '400 days' WHERE dag_id = 'sales'",
        "UPDATE wolkvox.dag SET wolkvox_conn_id = 'wolkvox_service' WHERE dag_id = 'sales'",
        "UPDATE wolkvox.dag SET fingerprint = fingerprint + 1 WHERE dag_id = 'sales'",
        "UPDATE wolkvox.dag SET staged_at = NULL WHERE dag_id = 'sales'",
    ],
    ids=["unused for a month", "of a clock that was ahead", "the same connection", "another token", "never ran"],
)
def test_who_does_not_share_it_any_more_does_not_count(two: Database, change: str) -> None:
    agree_on_limit(two.connection, "sales", told("wolkvox_sales", licenses=20))
    two.execute(change)
    agree_on_limit(two.connection, "service", told("wolkvox_service", licenses=1))


def test_codes_are_checked_only_where_that_is_asked_for_and_told(ask: Ask, sandbox: SandboxServer) -> None:
    sandbox.control(activity_codes=["5"])
    assert ask(disposition_codes) is None
    assert sandbox.stats()["calls"] == 0
    sandbox.control(activity_codes=None)
    assert ask(disposition_codes, preflight="codes") is None


def test_a_question_leaves_its_slot_free(ask: Ask, ledger: Database) -> None:
    waiting(ledger)
    for _ in range(3):
        ask(requests_left)
    assert ledger.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert ledger.rows("SELECT in_flight_until FROM wolkvox.slot") == [(None,)]


@pytest.mark.parametrize(("code", "stays_busy"), [(504, True), (524, True), (502, False), (503, False)])
def test_a_question_that_a_gateway_gave_up_on_leaves_its_slot_busy(
    ask: Ask, ledger: Database, monkeypatch: pytest.MonkeyPatch, code: int, stays_busy: bool
) -> None:
    """wolkvox may be at it for as long as a call lasts: two others beside it would be three."""
    waiting(ledger)
    answer = classify(code, {}, b"<html>", datetime.now(timezone.utc))
    monkeypatch.setattr(KeptConnection, "request", lambda *_: (answer, b"<html>"))
    ask(requests_left, call_timeout=50)
    left = "SELECT extract(epoch FROM in_flight_until - clock_timestamp())::float FROM wolkvox.slot"
    (seconds,) = ledger.rows(left)[0]
    assert (seconds is not None and 40 < seconds <= 65) == stays_busy
    assert ledger.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
