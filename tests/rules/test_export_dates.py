"""When a customer was dialled last, as an export says it, or that nobody can tell."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.export_dates import DateCount, LastDial, read_last_dial

BOGOTA = ZoneInfo("America/Bogota")
DIALLED = datetime(2026, 3, 2, 20, 4, 5, tzinfo=timezone.utc)
NEVER = LastDial(None)


def last(date: Any = "2026-03-02 15:04:05", calls: Any = "1", result: Any = "BUSY", **more: Any) -> LastDial:
    return read_last_dial({"fecha": date, "llamadas": calls, "resultado": result, **more}, BOGOTA)


@pytest.mark.parametrize(
    "date",
    [
        "2026-03-02 15:04:05",
        "2026-03-02T15:04:05",
        "2026-03-02 15:04:05.000",
        "2026-03-02 20:04:05Z",
        "2026-03-02T15:04:05-05:00",
        "20260302150405",
        "20260302 150405",
        "20260302 15:04:05",
        20260302150405,
        "2026/03/02 15:04:05",
        "2026.03.02 15:04:05",
        " 2026/03/02  15:04:05 ",
        "2026-03-02 03:04:05 PM",
        "2026/03/02 3:04:05 p. m.",
        "2026-03-02 3:04:05pm",
        "2026-03-02 15:04:05 p.m.",
    ],
)
def test_a_date_is_read_in_every_form_in_which_the_month_cannot_be_the_day(date: Any) -> None:
    assert last(date) == LastDial(DIALLED)


@pytest.mark.parametrize(
    ("date", "hour"), [("2026-03-02 12:04:05 AM", 0), ("2026-03-02 12:04:05 PM", 12), ("2026-03-02 00:04:05 AM", 0)]
)
def test_noon_and_midnight_are_told_apart(date: str, hour: int) -> None:
    assert last(date).at == datetime(2026, 3, 2, hour, 4, 5, tzinfo=BOGOTA)


@pytest.mark.parametrize(
    ("date", "form"),
    [
        ("02/03/2026 15:04:05", "99/99/9999 99:99:99"),
        ("25/11/2026 15:04:05", "99/99/9999 99:99:99"),
        ("3/2/26 3:04 PM", "9/9/99 9:99 aa"),
        ("02-mar-2026 15:04", "99-aaa-9999 99:99"),
        ("2026-03-02", "9999-99-99"),
        ("2026-13-02 15:04:05", "9999-99-99 99:99:99"),
        ("2026-03-02 13:04:05 AM", "9999-99-99 99:99:99 aa"),
        ("2026-03-02 00:04:05 PM", "9999-99-99 99:99:99 aa"),
        ("0000-00-00 00:00:00", "9999-99-99 99:99:99"),
        ("20261399000000", "99999999999999"),
        ("yesterday", "aaaaaaaaa"),
        ("", "nothing"),
        (None, "nothing"),
        ({"day": 1}, "nothing"),
        ("\u202e2026", "nothing"),
    ],
)
def test_of_a_date_that_cannot_be_read_the_form_is_told(date: Any, form: str) -> None:
    assert last(date) == LastDial(None, form)


@pytest.mark.parametrize(
    ("calls", "result", "date"),
    [
        ("0", "CLEAN", "2026-03-02 15:04:05"),  # when it was uploaded, perhaps
        ("", "clean", "2026-03-02 15:04:05"),
        (None, "CLEAN", ""),
        ("0", "", "2026-03-02 15:04:05"),
        (0.0, "CLEAN", "02/03/2026"),
        ("0", "ANSWER", ""),  # codified, and never dialled
        ("", "", ""),
        (None, None, None),
    ],
)
def test_who_was_not_dialled_has_no_date(calls: Any, result: Any, date: Any) -> None:
    assert last(date, calls, result) == NEVER


@pytest.mark.parametrize("calls", ["2", 2, 2.0, "2.0", " 2 ", "99999999999999999999"])
def test_calls_are_read_as_text_and_as_numbers(calls: Any) -> None:
    assert last(calls=calls, result="CLEAN") == LastDial(DIALLED)


@pytest.mark.parametrize(("calls", "result"), [("", ""), (None, None), ("many", ""), (True, {}), ("nan", None)])
def test_a_date_without_calls_and_result_says_nothing(calls: Any, result: Any) -> None:
    assert last(calls=calls, result=result) == LastDial(None, "without calls and result")


@given(
    st.dictionaries(
        st.sampled_from(["fecha", "llamadas", "resultado"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text(), max_size=1)),
    )
)
def test_whatever_stands_there_is_read_as_never_a_moment_or_unread(row: dict[str, Any]) -> None:
    at, unread = read_last_dial(row, BOGOTA)
    assert at is None or unread == ""
    assert "\x00" not in unread
    assert not any(character.isdigit() and character != "9" for character in unread)


@given(st.integers(0, 300_000_000))
def test_a_moment_is_the_same_in_every_form(seconds: int) -> None:
    moment = datetime(2020, 1, 1, tzinfo=BOGOTA) + timedelta(seconds=seconds)
    forms = ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y/%m/%d %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S")
    assert {last(f"{moment:{form}}").at for form in forms} == {moment}


@pytest.mark.parametrize(
    ("counts", "ours"),
    [([(2, 2)], False), ([(5, 3)], True), ([(1, 1)] * 3, True), ([(6, 3)], False), ([(3, 0)], False)],
)
def test_dates_are_judged_over_all_exports(counts: list[tuple[int, int]], ours: bool) -> None:
    every = DateCount()
    for dated, of_requests in counts:
        every.add(DateCount(dated=dated, ours=of_requests))
    assert every.are_ours is ours


def test_moments_are_in_utc() -> None:
    at = last().at
    assert at is not None
    assert at.utcoffset() == timedelta(0)
