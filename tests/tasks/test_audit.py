"""What an audit concludes from an export, and what it leaves open, of records in every condition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import Database
from crew import another_night, states, task
from exporting import ExportHost, ago, coded, export_host, shown

from wolkvox.hook import WolkvoxHook
from wolkvox.page.reading import known_of
from wolkvox.rules.audit import AuditRules
from wolkvox.tasks.audit import audit_operation

FINDINGS = ("confirmed", "open_again", "overtaken", "mismatch", "missing")


@pytest.fixture
def host(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportHost]:
    """A host of exports, known to Airflow as ``wolkvox_default``."""
    with export_host() as host:
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", host.connection())
        yield host


def audit(timezone: str = "America/Bogota", *, again: bool = False, **rules: Any) -> tuple[dict[str, Any], str]:
    """The summary, and the complaint, empty for none; of another night than the last, or of the same one again."""
    if not again:
        another_night()
    with WolkvoxHook(timezone=timezone) as wolkvox:
        summary, complaint = audit_operation(task("audit", "wolkvox_audit"), wolkvox, AuditRules(**rules))
    return summary, complaint or ""


def found(summary: dict[str, Any]) -> dict[str, int]:
    """The findings that there are any of."""
    return {name: summary[name] for name in FINDINGS if summary[name]}


def versions(ledger: Database) -> set[tuple[Any, ...]]:
    """All rows that an audit may write, by the transaction that wrote them."""
    contacts = ledger.rows("SELECT 'contact', id::text, xmin::text FROM wolkvox.codification")
    return {*contacts, *ledger.rows("SELECT 'impact', campaign_id, xmin::text FROM wolkvox.impact")}


def test_a_customer_whose_id_begins_as_anonymous_ones_do_is_not_passed_over(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "#1001")
    host.records["17"] = [shown("#1001")]
    summary, complaint = audit()
    assert summary["not_verifiable"] == ["preview 17"]
    assert "Nothing can be said of 1 of 1 coded contacts" in complaint


OPEN_AGAIN = {
    "recalled": [shown("1", result="CLEAN")],
    "recalled after it had been dialled": [shown("1", result="clean", calls="2", date=ago(days=1))],
    "twice in the campaign, once without a code": [shown("1"), shown("1", "", result="CLEAN")],
    "twice in the campaign, once dialled and without a code": [shown("1"), shown("01", "", result="BUSY", calls="1")],
    "recalled, the calls as a number": [shown("1", result="CLEAN", llamadas=0)],
}


@pytest.mark.parametrize("records", OPEN_AGAIN.values(), ids=OPEN_AGAIN)
def test_a_customer_who_will_be_dialled_all_the_same_is_not_confirmed(
    ledger: Database, host: ExportHost, records: list[dict[str, Any]]
) -> None:
    coded(ledger, "1")
    host.records["17"] = records
    summary, complaint = audit()
    assert found(summary) == {"open_again": 1}
    assert "preview 17 (1 open again)" in complaint
    assert ledger.value("SELECT audit FROM wolkvox.codification") == "open_again"
    assert known_of("1", unmasked=True).contacts[0]["events"][-1]["name"] == "open_again"


@pytest.mark.parametrize(
    "records",
    [
        [shown("1")],
        [shown("1", result="NO ANSWER", calls="3", date=ago(days=1))],
        [shown("1"), shown("1", "99", result="ANSWER", calls="1")],  # an agent is through with the other record
        [shown("1", result="CLEAN"), shown("2", "")],
    ],
)
def test_a_customer_whom_the_dialler_leaves_alone_is_confirmed(
    ledger: Database, host: ExportHost, records: list[dict[str, Any]]
) -> None:
    """Of the last one, the operation's wolkvox keeps the result CLEAN of a record that was not dialled."""
    host.connect(export_result="keep")
    coded(ledger, "1")
    host.records["17"] = records
    assert found(audit()[0]) == {"confirmed": 1}


@pytest.mark.parametrize(("ours", "theirs"), [("venta", "VENTA"), ("05", "5"), ("5", "005"), ("0", "00"), ("Ñ1", "ñ1")])
def test_a_code_is_the_same_however_it_is_written(ledger: Database, host: ExportHost, ours: str, theirs: str) -> None:
    coded(ledger, "1", code=ours, code_2=ours)
    host.records["17"] = [shown("1", theirs, cod_rslt2=theirs)]
    assert found(audit()[0]) == {"confirmed": 1}


def test_of_one_customer_in_both_types_of_a_campaign_the_last_code_counts(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "1", code="5")
    coded(ledger, "1", code="6")
    ledger.execute(
        "UPDATE wolkvox.codification SET type_campaign = 'predictive', settled_at = settled_at + interval '1 minute'"
        " WHERE cod_act = '6'"
    )
    host.records["17"] = [shown("1", "6")]
    summary, complaint = audit()
    assert (found(summary), complaint) == ({"confirmed": 1}, "")


@pytest.mark.parametrize(("ours", "theirs"), [("5", "50"), ("5", "6"), ("venta", "ventas"), ("10", "1")])
def test_another_code_is_another_one(ledger: Database, host: ExportHost, ours: str, theirs: str) -> None:
    coded(ledger, "1", code=ours)
    host.records["17"] = [shown("1", theirs)]
    summary, complaint = audit()
    assert found(summary) == {"mismatch": 1}
    assert "preview 17 (1 with another code)" in complaint


OVERTAKEN = {
    "an agent dialled a week later": (None, shown("1", "99", calls="1", date=ago(minutes=30))),
    "and the protection was over": (ago(hours=1), shown("1", "99", calls="1", date=ago(minutes=30))),
    "the protection is over, and nobody dialled yet": (ago(hours=1), shown("1", "99")),
    "the protection is over, and the record was recalled": (ago(hours=1), shown("1", result="CLEAN")),
}


@pytest.mark.parametrize(("until", "record"), OVERTAKEN.values(), ids=OVERTAKEN)
def test_what_came_after_ours_by_right_is_no_fault(
    ledger: Database, host: ExportHost, until: datetime | None, record: dict[str, Any]
) -> None:
    coded(ledger, "1", protected_until=until)
    host.records["17"] = [record]
    summary, complaint = audit(most_unconfirmed=1.0)
    assert found(summary) == {"overtaken": 1}
    assert "with another code" not in complaint


def test_a_code_that_was_there_and_went_after_the_protection_is_not_missing(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "1", "2", protected_until=ago(minutes=-30))
    host.records["17"] = [shown("1")]
    assert found(audit()[0]) == {"confirmed": 1, "missing": 1}
    ledger.execute("UPDATE wolkvox.codification SET protected_until = now() - interval '1 minute'")
    host.records["17"] = [shown("1", "", result="CLEAN")]
    summary, complaint = audit(resend_missing=True)
    assert found(summary) == {"overtaken": 1, "missing": 1}, "one was there, the other never was"
    assert summary["offered_again"] == 0, "neither may be kept from being dialled any more"
    assert "preview 17 (1 missing)" in complaint


def test_customers_who_are_dialled_once_their_protection_is_over_make_no_audit_red(
    ledger: Database, host: ExportHost
) -> None:
    customers = [str(n) for n in range(1, 21)]
    coded(ledger, *customers, sent_at=ago(days=8), protected_until=ago(days=7))
    host.records["17"] = [shown(one, "99", calls="1", date=ago(days=1)) for one in customers]
    summary, complaint = audit()
    assert (found(summary), complaint) == ({"overtaken": 20}, "")
    assert summary["impact"]["dialled_after"] == 0
    assert summary["breaches"] == {}


@pytest.mark.parametrize("until", [None, ago(days=-1)])
def test_a_dial_without_rules_or_during_the_protection_is_told(
    ledger: Database, host: ExportHost, until: datetime | None
) -> None:
    coded(ledger, "1", protected_until=until)
    host.records["17"] = [shown("1", result="BUSY", calls="1", date=ago(minutes=30))]
    summary, complaint = audit()
    assert summary["impact"]["dialled_after"] == 1
    assert "1 customers were dialled after they had been codified: preview 17 (1)" in complaint


@pytest.mark.parametrize("minutes", [0.3, 5, 14])
def test_what_was_coded_minutes_before_an_export_is_not_missing_in_it(
    ledger: Database, host: ExportHost, minutes: float
) -> None:
    """The copy that is exported may be some minutes old."""
    coded(ledger, "1", "2", "3", sent_at=ago(minutes=minutes))
    host.records["17"] = [shown("1", "", result="CLEAN"), shown("2", "99"), shown("3")]
    summary, complaint = audit(resend_missing=True)
    assert (found(summary), summary["offered_again"], complaint) == ({"confirmed": 1}, 0, "")
    ledger.execute("UPDATE wolkvox.codification SET settled_at = settled_at - interval '16 minutes'")
    assert found(audit()[0]) == {"confirmed": 1, "missing": 1, "mismatch": 1}


def test_what_is_missing_is_sent_again_once_in_its_life(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "1", "2", attempts=2)
    coded(ledger, "3", attempts=8)
    host.records["17"] = [shown("2")]
    assert audit(resend_missing=True)[0]["offered_again"] == 1
    (offered,) = ledger.rows("SELECT customer_id, attempts, reason FROM wolkvox.codification WHERE state = 'pending'")
    assert offered == ("1", 2, "audit_missing"), "all requests of its life count, and eight are the most"
    assert ledger.rows("SELECT state, response_code FROM wolkvox.answer") == [("coded", "202")]
    again = "UPDATE wolkvox.codification SET state = 'coded', settled_at = now() - interval '1 hour' WHERE id = 1"
    for _ in range(5):
        ledger.execute(again)
        summary, _ = audit(resend_missing=True)
        assert (summary["missing"], summary["offered_again"]) == (2, 0)


@pytest.mark.parametrize("days", [30.5, 31.5, 60])
def test_a_contact_that_would_expire_stays_coded(ledger: Database, host: ExportHost, days: float) -> None:
    coded(ledger, "1")
    ledger.execute("UPDATE wolkvox.codification SET contacted_at = now() - %s * interval '1 day'", days)
    host.records["17"] = [shown("2")]
    summary, _ = audit(resend_missing=True)
    assert (summary["missing"], summary["offered_again"]) == (1, 0)
    assert states(ledger) == {"coded": 1}


def test_an_anonymous_contact_is_neither_judged_nor_sent_again(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "#" + "0" * 32, "1")
    host.records["17"] = [shown("1")]
    summary, complaint = audit(resend_missing=True)
    assert (found(summary), summary["offered_again"], complaint) == ({"confirmed": 1}, 0, "")


@pytest.mark.parametrize(
    ("campaigns", "without", "red"),
    [
        ({"17": 3}, ["17"], True),
        ({"17": 3, "18": 2}, ["17"], True),
        ({"17": 3, "18": 3}, ["18"], True),
        ({"17": 4, "18": 3}, ["18"], False),
    ],
)
def test_an_audit_that_can_verify_little_is_not_green(
    ledger: Database, host: ExportHost, campaigns: dict[str, int], without: list[str], red: bool
) -> None:
    for campaign, number in campaigns.items():
        customers = [str(n) for n in range(number)]
        coded(ledger, *customers, campaign=campaign)
        if campaign not in without:
            host.records[campaign] = [shown(one) for one in customers]
    summary, complaint = audit()
    assert summary["not_verifiable"] == [f"preview {campaign}" for campaign in without]
    assert ("Nothing can be said of 3 of" in complaint) is red
    assert (complaint == "") is not red


def test_a_campaign_of_both_types_is_asked_for_once(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "1", campaign="17", kind="preview")
    coded(ledger, "2", campaign="17", kind="predictive")
    host.records["17"] = [shown("1"), shown("2")]
    assert found(audit()[0]) == {"confirmed": 2}
    assert host.calls == ["17"]


def test_an_export_that_was_asked_for_a_moment_ago_is_waited_for_and_comes_last(
    ledger: Database, host: ExportHost
) -> None:
    coded(ledger, "1", campaign="17")
    coded(ledger, "2", campaign="18")
    host.records = {"17": [shown("1")], "18": [shown("2")]}
    ledger.execute(
        "INSERT INTO wolkvox.export (operation, campaign_id, asked_at) VALUES ('0041', '17', now() - interval '297 s')"
    )
    assert found(audit(again=True)[0]) == {"confirmed": 2}
    assert host.calls == ["18", "17"]
    assert ledger.value("SELECT now() - asked_at < interval '2 seconds' FROM wolkvox.export WHERE campaign_id = '17'")


def test_the_second_night_writes_only_what_has_changed(ledger: Database, host: ExportHost) -> None:
    customers = [str(n) for n in range(1, 101)]
    coded(ledger, *customers)
    host.records["17"] = [shown(one) for one in customers[:90]] + [shown(one, "99") for one in customers[90:95]]
    audit()
    for night in range(3):
        before = versions(ledger)
        host.records["17"][night] = shown(customers[night], "99")
        audit()
        assert len(versions(ledger) - before) == 1, "of the contact that changed"
    moments = ledger.rows("SELECT count(DISTINCT audited_at) FROM wolkvox.codification WHERE audit = 'mismatch'")
    assert moments == [(5 + 3,)], "each keeps the moment in which it was seen first"


DATES = ["02/03/2026 10:04:05", "3/2/26 10:04", "02-Mar-2026 10:04:05", "2026-03-02", "0000-00-00 00:00:00", ""]


@pytest.mark.parametrize("date", DATES)
def test_dates_that_cannot_be_read_do_not_say_that_nobody_was_dialled(
    ledger: Database, host: ExportHost, date: str
) -> None:
    customers = [str(n) for n in range(1, 21)]
    coded(ledger, *customers, protected_until=ago(days=-1))
    host.records["17"] = [shown(one, calls="1", result="BUSY", date=date) for one in customers]
    summary, complaint = audit()
    assert summary["dials_not_verifiable"] == {"preview 17": 20}
    assert "20 of 20 dialled records can't be read" in complaint
    assert summary["impact"]["coded"] == 0, "what codifying was impact isn't counted from them"
    assert "02" not in complaint, "a form is told, and no date"


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S", "%Y-%m-%d %I:%M:%S %p"])
def test_dates_in_forms_that_cannot_be_mistaken_show_dials(ledger: Database, host: ExportHost, form: str) -> None:
    coded(ledger, "1", protected_until=ago(days=-1))
    dialled = ago(minutes=30).astimezone(ZoneInfo("America/Bogota"))
    host.records["17"] = [shown("1", result="BUSY", calls="1", date=f"{dialled:{form}}")]
    summary, _ = audit()
    assert (summary["breaches"], summary["dials_not_verifiable"]) == ({"vendor": 1}, {})


@pytest.mark.parametrize(
    ("setting", "operation", "zone"),
    [
        ({"quota_timezone": "UTC"}, "America/Bogota", "America/Bogota"),
        ({"quota_timezone": "UTC"}, "America/Santiago", "America/Santiago"),
        ({"export_timezone": "UTC"}, "America/Bogota", "UTC"),
        ({"export_timezone": "America/Lima", "quota_timezone": "Europe/Madrid"}, "UTC", "America/Lima"),
    ],
)
def test_dates_are_read_on_the_clock_of_exports(
    ledger: Database, host: ExportHost, setting: dict[str, str], operation: str, zone: str
) -> None:
    host.connect(**setting)
    coded(ledger, "1", protected_until=ago(days=-1))
    dialled = ago(minutes=30).astimezone(ZoneInfo(zone))
    host.records["17"] = [shown("1", result="BUSY", calls="1", date=f"{dialled:%Y-%m-%d %H:%M:%S}")]
    assert audit(operation)[0]["breaches"] == {"vendor": 1}


def test_dates_that_are_ahead_show_a_wrong_zone(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "1", protected_until=ago(days=-1))
    host.records["17"] = [shown("1", result="BUSY", calls="1", date=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}")]
    summary, complaint = audit()
    assert (summary["breaches"], summary["dials_not_verifiable"]) == ({}, {"preview 17": 1})
    assert "set export_timezone of connection 'wolkvox_default'" in complaint


@pytest.mark.parametrize("setting", [None, "change", "dial"])
@pytest.mark.parametrize("spread", [1, 9])
def test_dates_of_our_own_requests_are_no_dials_in_small_campaigns_either(
    ledger: Database, host: ExportHost, setting: str | None, spread: int
) -> None:
    """One customer a campaign, or nine in one."""
    host.connect(export_date=setting)
    for n in range(9):
        campaign = str(17 + n // spread)
        coded(ledger, str(n), campaign=campaign, protected_until=ago(days=-1), sent_at=ago(hours=2, seconds=n))
        date = ago(hours=2, seconds=n - 20)
        host.records.setdefault(campaign, []).append(shown(str(n), result="BUSY", calls="1", date=date))
    summary, complaint = audit()
    assert summary["breaches"] == {}
    assert summary["impact"]["dialled_before"] + summary["impact"]["dialled_after"] == 0
    assert ledger.value("SELECT count(*) FROM wolkvox.dial") == 0
    assert ("set export_date of connection 'wolkvox_default' to change" in complaint) is (setting == "dial")


def test_the_date_of_a_request_is_no_dial_of_an_earlier_contact(ledger: Database, host: ExportHost) -> None:
    coded(ledger, "1", sent_at=ago(days=2), protected_until=ago(days=-4))
    coded(ledger, "1", sent_at=ago(hours=2))  # by another channel, which protects nobody
    host.records["17"] = [shown("1", result="BUSY", calls="1", date=ago(hours=2) + timedelta(seconds=20))]
    assert audit()[0]["breaches"] == {}


def test_where_a_date_is_a_dial_one_beside_a_request_counts(ledger: Database, host: ExportHost) -> None:
    host.connect(export_date="dial")
    for n in range(10):
        coded(ledger, str(n), protected_until=ago(days=-1))
    near, later = ago(hours=2) + timedelta(seconds=20), ago(minutes=30)
    host.records["17"] = [shown(str(n), result="BUSY", calls="1", date=near if n < 4 else later) for n in range(10)]
    assert audit()[0]["breaches"] == {"vendor": 10}
