"""What a guided handful of calls tells of an operation's own wolkvox, whichever of two readings is true of it."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import Database
from sandbox_server import SandboxServer

from wolkvox import probe

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
    code = probe.run(Namespace(**asked))
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
    assert "wolkvox counted 5 calls where five were ours" in printed
    assert CUSTOMER not in printed
    assert known.stats()["coded"] == 1


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
    assert "the day's calls are used up" in str(ask(monkeypatch, capsys)[0])
    assert "No calls are left today" in str(ask(monkeypatch, capsys)[0])


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
