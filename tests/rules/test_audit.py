"""What somebody has to look at after an audit, and what not."""

from __future__ import annotations

from typing import Any

import pytest

from wolkvox.rules.audit import AuditResult, Findings, complaints, same_code
from wolkvox.rules.export_dates import DateCount


def told(result: AuditResult, *, dialled: dict[str, int] | None = None, most: float = 0.01, **more: Any) -> list[str]:
    return complaints(result, dialled or {}, 100, most, "conn", dates_are_dials=more.get("dates_are_dials", False))


def test_an_audit_without_contacts_is_green() -> None:
    assert told(AuditResult()) == []


def test_where_no_contact_is_coded_campaigns_are_counted() -> None:
    result = AuditResult(coded={"preview 17": 0, "preview 18": 0}, not_verifiable=["preview 17", "preview 18"])
    assert told(result)[0].startswith("Nothing can be said of 2 of 2 campaigns")
    result.coded |= {"preview 19": 0, "preview 20": 0, "preview 21": 0}
    assert told(result) == []


@pytest.mark.parametrize(
    ("findings", "part"),
    [
        (Findings(confirmed=1, missing=2), "3 contacts: preview 17 (2 missing, 1 open again)."),
        (Findings(confirmed=1, mismatch=3), "4 contacts: preview 17 (1 open again, 3 with another code)."),
        (Findings(overtaken=7), "1 contacts: preview 17 (1 open again)."),
    ],
)
def test_what_is_not_as_it_was_sent_is_told_by_campaign(findings: Findings, part: str) -> None:
    one = Findings(findings.confirmed, 1, findings.overtaken, findings.mismatch, findings.missing)
    (sentence,) = told(AuditResult(coded={"preview 17": 9}, campaigns={"preview 17": one}))
    assert part in sentence
    assert "were recalled, or recycled" in sentence


def test_what_is_overtaken_is_no_fault() -> None:
    assert told(AuditResult(coded={"preview 17": 9}, campaigns={"preview 17": Findings(overtaken=9)})) == []


@pytest.mark.parametrize(("unread", "red"), [(0, False), (1, False), (2, True)])
def test_one_odd_date_among_a_hundred_is_no_reason_to_look(unread: int, red: bool) -> None:
    result = AuditResult(dates={"preview 17": DateCount(dialled=100, unread=unread, form="99/99/9999")})
    assert (told(result) != []) is red
    assert result.unread() == ({"preview 17": unread} if unread else {})


def test_a_setting_that_the_dates_contradict_is_told_once_for_all_campaigns() -> None:
    dates = {f"preview {n}": DateCount(dated=1, ours=1) for n in range(60)}
    assert told(AuditResult(dates=dates)) == []
    (sentence,) = told(AuditResult(dates=dates), dates_are_dials=True)
    assert "(60 of 60)" in sentence
    assert "set export_date of connection 'conn' to change" in sentence


def test_a_sentence_names_twenty_campaigns_and_counts_the_others() -> None:
    (sentence,) = told(AuditResult(), dialled={f"preview {n}": 1 for n in range(60)})
    assert sentence.startswith("60 customers were dialled")
    assert sentence.count("preview") == 20
    assert " and 40 more" in sentence


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("5", "05", True),
        ("Venta", "VENTA", True),
        ("0", "00", True),
        ("", "0", False),
        ("", "", True),
        ("5", "6", False),
    ],
)
def test_a_code_is_the_same_however_it_is_written(one: str, other: str, same: bool) -> None:
    assert same_code(one, other) is same
