"""How the values of warehouses become text."""

from __future__ import annotations

import sys
import unicodedata
from decimal import Decimal
from uuid import UUID

import pytest
from contact_rows import QUOTED, read

from wolkvox.rules.values import UNSEEN


@pytest.mark.parametrize(
    ("given_id", "text"),
    [
        (52_998_123, "52998123"),
        (0, "0"),
        (5.0, "5"),
        (Decimal(5), "5"),
        (Decimal("52998123.00"), "52998123"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890.00"), "12345678901234567890"),
        (12345678901234567890, "12345678901234567890"),
        ("007", "007"),
        (" 007 ", "007"),
        ("12E4", "12E4"),
        (b"1001", "1001"),
        (bytearray(b" 007 "), "007"),
        (memoryview(b"007"), "007"),
        (UUID("12345678-1234-5678-1234-567812345678"), "12345678-1234-5678-1234-567812345678"),
        ("\u200e52998123\u200b", "52998123"),
        ("\ufeff\xa052998123\u2007", "52998123"),
        ("\u202a+57 300\u202c", "+57 300"),
        ("\u2066007\u2069\n", "007"),
        ("\U000e0020007\u3000\u2800", "007"),
        ("\t007\r\n", "007"),
        (b"\xef\xbb\xbf007", "007"),
        ("NA-17", "NA-17"),
        ("Nancy", "Nancy"),
        ("#17", "#17"),
        ("1.023.456.789", "1.023.456.789"),
        ("CC-52.998", "CC-52.998"),
    ],
)
def test_a_number_becomes_text_unchanged(given_id: object, text: str) -> None:
    assert read(customer_id=given_id).customer_id == text


@pytest.mark.parametrize("number", [float("inf"), 1e300, Decimal("Infinity"), Decimal("1E+999999"), Decimal("sNaN")])
def test_a_number_that_is_no_id_breaks_nothing(number: object) -> None:
    assert read(campaign_id=number).reason in ("campaign_id_not_digits", "campaign_id_missing")


@pytest.mark.parametrize("quoted", QUOTED)
def test_what_keeps_a_spreadsheet_from_reading_a_number_is_no_part_of_an_id_or_a_code(quoted: str) -> None:
    spelt = read(customer_id=quoted.format("1001"), cod_act=quoted.format("5"), campaign_id=quoted.format("17"))
    assert (spelt.customer_id, spelt.cod_act, spelt.campaign_id, spelt.reason) == ("1001", "5", "17", None)
    assert spelt.key == read().key, "the same contact, and not sent again"


def test_every_mark_that_nobody_sees_is_known() -> None:
    assert {chr(n) for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n)) == "Cf"} == set(UNSEEN)
