"""What an export says of a customer and of itself, in all the ways that it may, and when it is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wolkvox.rules.exports import (
    Compared,
    ExportHeader,
    read_exported,
    strangers_are_known,
    tells_of_more,
    why_contradicted,
    why_unfit,
)

NOTICES = [
    "<br />\n<b>Notice</b>:  Undefined index: fecha in <b>/var/www/campaign.php</b> on line <b>31</b><br />",
    "PHP Deprecated:  Function utf8_encode() is deprecated in campaign.php on line 7",
    '<b>Warning</b>: Undefined array key "fecha" in /srv/campaign.php on line 31',
    "Notice: one\nNotice: another",
]
HARMFUL = [
    "<b>Fatal error</b>: Allowed memory size of 134217728 bytes exhausted",
    "<b>Warning</b>: mysqli_fetch_assoc(): MySQL server has gone away",
    "Notice: one\nParse error: syntax",
    "<html>maintenance</html>",
    "and 59,000 more",
]
DIALLED = datetime(2026, 3, 2, 15, 4, 5, tzinfo=timezone.utc)


def dialled_at(**fields: Any) -> datetime | None:
    record = read_exported({"id_cliente": "1", **fields}, ZoneInfo("America/Bogota"))
    assert record is not None
    return record.dialled_at


@pytest.mark.parametrize(
    "date", ["2026-03-02 10:04:05", "2026-03-02T10:04:05", "20260302100405", "2026-03-02 15:04:05Z"]
)
@pytest.mark.parametrize("of", [{"llamadas": "2"}, {"llamadas": 1}, {"llamadas": "0", "resultado": "NO ANSWER"}])
def test_a_moment_is_read_however_it_is_written(date: str, of: dict[str, Any]) -> None:
    assert dialled_at(fecha=date, **of) == DIALLED


@pytest.mark.parametrize(
    "fields",
    [
        {"llamadas": "0", "resultado": "CLEAN", "fecha": "2026-03-02 10:04:05"},  # when it was uploaded, perhaps
        {"llamadas": "", "resultado": "clean", "fecha": "2026-03-02 10:04:05"},
        {"fecha": "2026-03-02 10:04:05"},
        {"llamadas": "3", "fecha": ""},
        {"llamadas": "3", "fecha": None},
        {"llamadas": "3", "fecha": "0000-00-00 00:00:00"},
        {"llamadas": "3", "fecha": "20261399000000"},
        {"llamadas": "3", "fecha": "yesterday"},
        {"llamadas": "3", "fecha": {"day": 1}},
        {"llamadas": "3"},
    ],
)
def test_what_names_no_dial_is_none(fields: dict[str, Any]) -> None:
    assert dialled_at(**fields) is None


# Whose record it is


@pytest.mark.parametrize(
    "written",
    [
        "1023456789",
        1023456789,
        Decimal("1023456789.0"),
        "1023456789.0",
        "1023456789,0",
        " 1023456789\u00a0",
        "1023\u200b456789",
        "\ufeff1023456789",
        '="1023456789"',
        "'1023456789",
        "".join(chr(0xFF10 + int(digit)) for digit in "1023456789"),
        "".join(chr(0x0660 + int(digit)) for digit in "1023456789"),
    ],
)
def test_an_id_is_read_as_one_of_the_warehouse_is(written: object) -> None:
    exported = read_exported({"id_cliente": written}, ZoneInfo("UTC"))
    assert exported is not None
    assert exported.customer_id == "1023456789"


@pytest.mark.parametrize(
    "written",
    [
        *(
            None,
            "",
            " ",
            "null",
            "N/A",
            "-1",
            "******6789",
            "••••6789",
            "XXXXXX6789",
            "xxxx",
            "...6789",
            "---6789",
            "___6789",
            "…6789",
            "#9f86d081",
        ),
        *(
            True,
            [],
            {"id": "1"},
            Decimal("1.023E+9"),
            "1.023E+09",
            "1,023e9",
            "1023456.789E3",
            "12.000",
            "?",
            "\ufffd7",
        ),
        *("[object Object]", "x" * 201, "\ud800"),
    ],
)
def test_nobody_can_tell_whose_record_it_is(written: object) -> None:
    assert read_exported({"id_cliente": written}, ZoneInfo("UTC")) is None
    assert read_exported({"customer_id": "1023456789"}, ZoneInfo("UTC")) is None


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({"resultado": "ANSWER", "llamadas": "1"}, False),
        ({"resultado": "", "llamadas": "0"}, False),
        ({"resultado": "CLEAN", "llamadas": "0"}, True),
        ({"resultado": " clean", "llamadas": "2"}, True),
        ({"resultado": None, "llamadas": "2"}, True),
        ({"resultado": "ANSWER"}, True),
        ({"result": "ANSWER", "llamadas": "1"}, True),
    ],
)
def test_a_record_is_open_when_it_was_recalled_or_does_not_say_that_it_was_not(
    fields: dict[str, object], is_open: bool
) -> None:
    exported = read_exported({"id_cliente": "1", "cod_rslt1": "5", **fields}, ZoneInfo("UTC"))
    assert exported is not None
    assert exported.is_open == is_open


@pytest.mark.parametrize("date", ["", "31/12/2026 10:00", "yesterday", None])
def test_of_a_customer_who_was_dialled_nobody_can_tell_when_the_form_of_the_date_is_kept(date: str | None) -> None:
    for fields, is_unread in (
        ({"llamadas": "2", "resultado": "ANSWER", "fecha": date}, True),
        ({"llamadas": "0", "resultado": "CLEAN", "fecha": date}, False),
    ):
        exported = read_exported({"id_cliente": "1", **fields}, ZoneInfo("UTC"))
        assert exported is not None
        assert (exported.unread_date != "") is is_unread


# Whether the export as a whole can be relied on

FIT = ExportHeader("200", "17", "200", 200, True)


@pytest.mark.parametrize(
    "head",
    [
        *({"code": code} for code in (None, "", "0", "200.0", "OK", "00")),
        *({"campaign_id": campaign} for campaign in (None, "", "null", "17.0", " 17 ")),
        *({"total": total} for total in (None, "", "null", "200.0", " 200")),
        *({"error": error} for error in (None, "", "null", "None", "OK", "0", "false", "sin errores", "200")),
        *({"around": notice} for notice in NOTICES),
        {"total": "1,000", "records": 1_000},
        {"total": "1.000", "records": 1_000},
        {"unreadable": 2},
    ],
    ids=str,
)
def test_an_export_is_fit_however_a_host_writes_that_all_is_well(head: dict[str, Any]) -> None:
    assert why_unfit(replace(FIT, **head), "17") is None


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ({"ended": False}, "in the middle"),
        *(({"code": code}, "its code is") for code in ("500", "202", "404", "no", "(map)")),
        ({"error": "MEMORY EXHAUSTED, RESULT IS PARTIAL"}, "wrong: MEMORY EXHAUSTED, RESULT IS PARTIAL"),
        ({"error": "customer 1023456789 is locked"}, "wrong: customer … is locked"),
        ({"error": "1"}, "wrong"),
        *(({"campaign_id": campaign}, "another campaign") for campaign in ("18", "170", "17.5", "(array)")),
        *(
            ({"total": total}, "total_records is")
            for total in ("201", "20", "2.0", "60,000", "-1", "many", "0", "True")
        ),
        ({"total": "1.000", "records": 1}, "total_records is 1.000"),
        ({"total": "2.0", "records": 20}, "total_records is 2.0"),
        ({"records": 0}, "no records"),
        ({"records": 60_000, "total": ""}, "may lack others"),
        ({"more": "pages"}, "one page of several"),
        ({"unreadable": 3}, "3 of its 200 records have no id"),
        *(({"around": text}, "no notice of PHP") for text in HARMFUL),
    ],
    ids=str,
)
def test_an_export_is_unfit_in_words(head: dict[str, Any], why: str) -> None:
    assert why in str(why_unfit(replace(FIT, **head), "17"))


def test_one_record_that_nobody_can_read_is_too_much_where_it_matters_who_is_not_there() -> None:
    assert why_unfit(replace(FIT, unreadable=1), "17", most_unreadable=0.0) is not None
    assert why_unfit(FIT, "17", most_unreadable=0.0) is None


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("pages", 4, True),
        ("pages", "4", True),
        ("total_pages", Decimal("2.0"), True),
        ("next", "https://…?page=2", True),
        ("has_more", True, True),
        ("truncated", "true", True),
        ("pages", 1, False),
        ("pages", Decimal("1.0"), False),
        ("next", None, False),
        ("has_more", False, False),
        ("partial", "", False),
        ("page", 3, False),
    ],
)
def test_a_page_of_several_is_known_by_its_fields(name: str, value: object, more: bool) -> None:
    assert tells_of_more(name, value) == more


# Whether it agrees with what is known


@pytest.mark.parametrize(
    ("compared", "why"),
    [
        (Compared(), None),
        (Compared(waiting=49, strangers=49), None),
        (Compared(waiting=50, strangers=25), None),
        (Compared(waiting=50, strangers=26), "26 of 50 contacts"),
        (Compared(waiting=300, strangers=300), "300 of 300 contacts"),
        (Compared(confirmed=20, with_code=10), None),
        (Compared(confirmed=20, with_code=9), "shows the code of 9"),
        (Compared(confirmed=1), "shows the code of 0"),
        (Compared(confirmed=20, lacking=1, with_code=19), "lacks 1"),
    ],
    ids=str,
)
def test_an_export_that_contradicts_what_is_known_is_none_to_rely_on(compared: Compared, why: str | None) -> None:
    said = why_contradicted(compared)
    assert (said is None) if why is None else (why in str(said))


def test_of_few_contacts_one_must_be_there_before_the_others_are_strangers() -> None:
    assert strangers_are_known(Compared(waiting=5, strangers=4))
    assert not strangers_are_known(Compared(waiting=5, strangers=5))
    assert not strangers_are_known(Compared(waiting=1, strangers=1))
    assert not strangers_are_known(Compared())
