"""What a guided handful of requests tells of an operation's own wolkvox, whichever of two readings is true of it."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import Database
from exporting import BOGOTA, export_host
from sandbox_server import SandboxServer

from wolkvox.cli import examine

CUSTOMER = "0041234567"


@pytest.fixture
def known(sandbox: SandboxServer, ledger: Database) -> SandboxServer:
    """A campaign with a customer who was dialled an hour ago."""
    an_hour_ago = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
    sandbox.control(members={"17": [CUSTOMER, "2"]}, campaigns={"17": "preview"}, now=an_hour_ago, licenses=3)
    sandbox.dial("17", 2)
    sandbox.control(now=None)
    return sandbox


def ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], customer: str = CUSTOMER, **changed: Any
) -> tuple[int | str, str, dict[str, Any]]:
    """The command's end, what it printed, and the settings that follow."""
    asked = {
        "conn_id": "wolkvox_default",
        "type_campaign": "preview",
        "campaign_id": "17",
        "cod_act": "5",
        "seconds": 0.0,
        "yes": True,
        **changed,
    }
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{customer}\n"))
    code = examine.run(Namespace(**asked))
    printed = capsys.readouterr().out
    last = printed.strip().splitlines()[-1] if "\n{" in printed else "{}"
    return code, printed, json.loads(last)


@pytest.mark.parametrize(("moves", "date"), [(False, "dial"), (True, "change")])
def test_a_handful_of_calls_tells_how_wolkvox_behaves(
    known: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moves: bool,
    date: str,
) -> None:
    known.control(coding_moves_date=moves)
    code, printed, settings = ask(monkeypatch, capsys)
    seen = {"export_result": "change", "export_date": date}
    assert settings == {"licenses": 3, "preflight": "true", "export_preflight": "auto", **seen}
    assert code == 0, printed
    assert known.stats()["calls"] == 6, "as many as it says"
    assert "wolkvox counted 5 requests where five were ours" in printed
    assert CUSTOMER not in printed
    assert known.stats()["coded"] == 1


@pytest.mark.parametrize("sets", [True, False])
@pytest.mark.parametrize("customer", [CUSTOMER, "77"])
def test_whether_codifying_changes_the_result_is_told_of_any_customer(
    known: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sets: bool,
    customer: str,
) -> None:
    """The second one was never dialled."""
    known.control(members={"17": [CUSTOMER, "2", "77"]}, coding_sets_result=sets)
    _, printed, settings = ask(monkeypatch, capsys, customer)
    assert settings["export_result"] == ("change" if sets else "keep")
    assert f"ok   result     codifying {'changes' if sets else 'keeps'} it" in printed


def record(code: str = "", date: str | timedelta = "2026-03-02 10:04:05", **more: Any) -> dict[str, Any]:
    return {"id_cliente": CUSTOMER, "cod_rslt1": code, "resultado": "BUSY", "llamadas": "1", "fecha": date, **more}


def later(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the time in Bogota as its date, so many hours later as it says."""
    date = record["fecha"]
    if isinstance(date, timedelta):
        date = f"{datetime.now(BOGOTA) + date:%Y-%m-%d %H:%M:%S}"
    return {**record, "fecha": date}


SECOND = {
    "a copy of the first": (record(), record(), {"FAIL shown", "FAIL date"}, {}),
    "a copy, and a later dial": (record(), record(date=timedelta(minutes=-1)), {"FAIL shown", "FAIL date"}, {}),
    "another code": (record(), record("99"), {"FAIL shown", "FAIL date"}, {}),
    "the code, which was there before": (record("5"), record("5"), {"FAIL shown"}, {}),
    "the code, which was there before with a zero": (record("05"), record("5"), {"FAIL shown"}, {}),
    "the code with a zero": (
        record(),
        record("05", resultado="ANSWER"),
        {"ok   shown", "ok   result", "ok   date"},
        {"export_date": "dial", "export_result": "change"},
    ),
    "a date that can't be read": (
        record(date="02/03/2026 10:04"),
        record("5", "02/03/2026 10:04"),
        {"ok   shown", "ok   result", "FAIL date"},
        {"export_result": "keep"},
    ),
    "a date on a clock that is ahead": (
        record(),
        record("5", timedelta(hours=5)),
        {"ok   shown", "FAIL date"},
        {"export_result": "keep"},
    ),
    "a moved date on a clock that is behind": (
        record(),
        record("5", timedelta(hours=-5)),
        {"ok   shown", "FAIL date"},
        {"export_result": "keep"},
    ),
    "the date of our request": (
        record(),
        record("5", timedelta()),
        {"ok   shown", "ok   date"},
        {"export_result": "keep", "export_date": "change"},
    ),
}


@pytest.mark.parametrize(("first", "second", "seen", "told"), SECOND.values(), ids=SECOND)
def test_nothing_is_said_that_the_second_export_does_not_show(
    ledger: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    first: dict[str, Any],
    second: dict[str, Any],
    seen: set[str],
    told: dict[str, str],
) -> None:
    with export_host() as host:
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", host.connection())
        host.records["17"] = [first]
        host.on_codify = lambda: host.records.update({"17": [later(second)]})
        _, printed, settings = ask(monkeypatch, capsys)
    lines = {line[:15].strip() for line in printed.splitlines() if line[:4] in ("ok  ", "FAIL")}
    assert seen <= lines
    assert {name: value for name, value in settings.items() if name in ("export_date", "export_result")} == told
    assert CUSTOMER not in printed
    assert "2026" not in printed
    if "/" in first["fecha"]:
        assert "'99/99/9999 99:99'" in printed


def test_nothing_is_sent_when_the_campaign_has_no_such_customer(
    known: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed, _ = ask(monkeypatch, capsys, "41234567")
    assert (code, known.stats()["codify_calls"]) == (1, 0)
    assert "FAIL export     the campaign has no customer of exactly that id: nothing was sent" in printed


def test_what_goes_wrong_is_told_and_ends_it(
    known: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known.control(faults={CUSTOMER: [{"kind": "invalid_code"}]})
    code, printed, settings = ask(monkeypatch, capsys, type_campaign="predictive")
    assert code == 1
    assert "FAIL campaigns  in wolkvox, campaign 17 is preview, not predictive" in printed
    assert "FAIL code       wolkvox answered 422 (refused_422)" in printed
    assert "export_date" not in settings
    known.control(members={}, faults={})
    code, printed, settings = ask(monkeypatch, capsys)
    assert (code, settings["export_preflight"]) == (1, "off")
    assert "FAIL export     wolkvox gave no export (not_found, code 404) at " in printed
    known.control(quota_used=3_000)
    assert "the day's requests are used up" in str(ask(monkeypatch, capsys)[0])
    assert "No requests are left today" in str(ask(monkeypatch, capsys)[0])


def test_a_customer_who_was_never_dialled_tells_nothing_of_the_date(
    known: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known.control(members={"17": ["77"]})
    code, printed, settings = ask(monkeypatch, capsys, "77")
    assert (code, "export_date" in settings) == (1, False)
    assert "take a customer who was dialled" in printed


@pytest.mark.parametrize(("customer", "answer"), [("", "y"), (CUSTOMER, "n"), (CUSTOMER, "")])
def test_nothing_is_asked_unless_somebody_is_named_and_says_yes(
    known: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    customer: str,
    answer: str,
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    code, _, _ = ask(monkeypatch, capsys, customer, yes=False)
    assert "asked" in str(code)
    assert known.stats()["calls"] == 0
