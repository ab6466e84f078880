# ruff: noqa: DTZ001 - a date without a zone is one of the values that are no id
"""What is a customer's id, and what stands for nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

import pytest
from contact_rows import BOGOTA, QUOTED, read, row

from wolkvox.rules.contacts import read_contact
from wolkvox.rules.ids import read_id


class Enumerated(Enum):
    ONE = 1


@pytest.mark.parametrize(
    ("customer_id", "reason"),
    [
        *[(text, "customer_id_not_an_id") for text in ("1.02E+09", "1E+09", "1.5e9", "1023456789.0", "5.", "-7.00")],
        *[
            (text, "customer_id_not_an_id")
            for text in ("nan", "NULL", "None", "<NA>", "#N/A", "n/a", "Infinity", "True")
        ],
        *[
            (text, "customer_id_not_an_id")
            for text in (
                "1,02E+09",
                "1023456789,0",
                "#DIV/0!",
                "#¡REF!",
                "#¿NOMBRE?",
                "#N/D",
                "b'1001'",
                "[object Object]",
            )
        ],
        *[
            (text, "customer_id_not_an_id")
            for text in ("(null)", "\\N", "s/d", "Desconocido", "ANÓNIMO", "sin dato", "-1", -1)
        ],
        *[
            (text, "customer_id_not_an_id")
            for text in ("-", "???", "·", "\uff11\uff10\uff10\uff11", "\u0663\u0664", "10\xb2", "\u06f1x")
        ],
        *[
            (text, "customer_id_missing")
            for text in ("\u200b\ufeff", "\xa0", "", b"", b"  ", float("nan"), Decimal("sNaN"))
        ],
        *[(text, "customer_id_control_characters") for text in ("10\u200b01", "1\u202e2", "a\ufeffb", b"1\x002")],
        *[(value, "customer_id_not_text") for value in (True, False, b"\xff\xfe", [1], {"a": 1}, (1,), {1}, object())],
        *[(value, "customer_id_not_text") for value in (1j, Enumerated.ONE, datetime(2026, 3, 2), timedelta(1))],
        *[(value, "customer_id_not_whole") for value in (1.5, float("inf"), -float("inf"), 1e16, Decimal("0.5"))],
        *[(value, "customer_id_not_whole") for value in (Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E+40"))],
        *[(value, "customer_id_too_long") for value in (10**5_000, -(10**4_299), 10**40)],
    ],
    ids=lambda value: value if value is None or isinstance(value, str) else type(value).__name__,
)
def test_what_no_one_can_call_an_id_is_invalid(customer_id: object, reason: str) -> None:
    contact = read(customer_id=customer_id)
    assert contact.reason == reason
    assert "0x" not in (contact.customer_id or ""), "nothing of this process is kept"


@pytest.mark.parametrize("column", ["cod_act", "cod_act_2"])
@pytest.mark.parametrize("code", ["NULL", "nan", "None", "<NA>", "5.0", "1.4E+02", "5,0", "#N/D", "(null)"])
def test_what_no_one_can_call_a_code_is_invalid(column: str, code: str) -> None:
    assert read(**{column: code}).reason == f"{column}_not_a_code"


@pytest.mark.parametrize(
    "text",
    [
        *("#¡VALOR!", "#VALUE!", "#NAME?", "#NUM!", "#CAMPO!", "Err:502", "Error", "ERROR", "#########", "#N/A N/A!"),
        *("VERDADERO", "FALSO", "Cargando...", "Loading...", "#GETTING_DATA", "#OBTENIENDO_DATOS"),
        *("2026-11-28", "28/11/2026", "11/28/2026", "28-11-2026 00:00:00", "2026/11/28 0:00", "28.11.2026", "28-nov"),
        *("28-nov-2026", "1-ene.-26", "2026-11-28T00:00:00", "3-Sept", "5/Mayo/2026"),
        *("******6789", "••••6789", "1023***"),
    ],
)
def test_error_words_dates_and_masks_are_no_ids(text: str) -> None:
    assert read(customer_id=text).reason == "customer_id_not_an_id"


@pytest.mark.parametrize(
    "text",
    [
        *("222222222222", "0000000000", "00", "999999999", "9999999999999", "66.666.666-6", "123456789", "0123456789"),
        *(
            "SIN CEDULA",
            "sin cédula",
            "SIN_DOCUMENTO",
            "Sin identificación",
            "NO REGISTRA",
            "no-tiene",
            "No tiene cédula",
        ),
        *("SIN NÚMERO DE DOCUMENTO", "no informa", "NO IDENTIFICADO", "not available", "CONSUMIDOR FINAL", "Pendiente"),
        *(
            "XXXXXXXX",
            "Cliente genérico",
            "XAXX010101000",
            "no id",
            "prueba",
            222222222222,
            999999999.0,
            "N O A P L I C A",
        ),
    ],
)
def test_ids_that_stand_for_nobody_are_invalid(text: object) -> None:
    assert read(customer_id=text).reason == "customer_id_placeholder"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1111111111",
            "3333333333",
            "11111111-1",
            "22222222-2",
            "11111111",
            "99999999",
            "12345678",
            "1234567890",
            "0",
            "1",
        ),
        *(
            "1000000000",
            "2222222223",
            "10000000000",
            "NO-1023",
            "SIN1023",
            "Nora",
            "Sinforoso",
            "noble",
            "XX-12",
            "Norid",
        ),
        *(
            "12.345.678-5",
            "1-2-2020-7",
            "10-05-23",
            "99-99-9999",
            "2026-13-45",
            "MAR-12",
            "12-mayorga",
            "#17",
            "1.023.456",
        ),
        *("DNI 12345678", "AB123456C", "20261128", "Testa", "O'Brien", "E-77"),
    ],
)
def test_an_id_that_somebody_may_have_is_never_taken_for_nobodys(text: str) -> None:
    assert read(customer_id=text).reason is None


def test_an_operation_names_more_ids_of_nobody_however_they_are_spelt() -> None:
    def reason(customer_id: object) -> str | None:
        spelt = row(customer_id=customer_id)
        return read_contact(spelt, operation="0041", zone=BOGOTA, placeholders={"0", "sincarnet", "777"}).reason

    assert [reason(given) for given in (0, "SIN CARNÉT", " sin-carnet", "777", '="777"')] == [
        "customer_id_placeholder"
    ] * 5
    assert [reason(given) for given in (1001, "sin carnet 5", "7771")] == [None] * 3


@pytest.mark.parametrize(
    ("spelt", "text"),
    [
        *[(quoted.format("1023456789"), "1023456789") for quoted in QUOTED],
        *[(value, "1023456789") for value in (1023456789, 1023456789.0, Decimal("1023456789.00"), b"1023456789")],
        *[
            (value, "1023456789")
            for value in ("1023456789.0", "1023456789,00", "\ufeff1023456789", "10\u200b23456789\xa0")
        ],
        ("".join(chr(ord(digit) + 0xFEE0) for digit in "1023456789"), "1023456789"),
        ("\u0661\u0660", "10"),
        ("1.000", "1.000"),
        ("1.023.456.789", "1.023.456.789"),
        ("007", "007"),
        ('""', None),
        ("\u200b", None),
        (None, None),
    ],
)
def test_an_id_of_anybody_is_read_as_what_it_stands_for(spelt: object, text: str | None) -> None:
    assert read_id(spelt) == text
