# ruff: noqa: DTZ001 - moments without a zone are what is tested
"""Which rows can be sent, why the others can't, and what makes two rows the same contact."""

import sys
import unicodedata
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from contact_rows import BOGOTA, NEW_YORK, NOON, read, row
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.contacts import LONGEST, LONGEST_COMMENT, Contact, read_contact
from wolkvox.rules.ids import read_id
from wolkvox.rules.values import UNSEEN

REFUSED_ANYWHERE = ["\x00", "\x07", "\x1f", "\x7f", "\x85", "\ud800", "\udfff"]


def test_a_sendable_row_is_kept_as_it_is() -> None:
    contact = read(cod_act_2="7", comment="llamó por WhatsApp 👍\nvolver el martes\t")
    assert contact == Contact(
        key=contact.key,
        type_campaign="preview",
        campaign_id="17",
        customer_id="1001",
        cod_act="5",
        cod_act_2="7",
        comment="llamó por WhatsApp 👍\nvolver el martes\t",
        contacted_at=NOON,
        reason=None,
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type_campaign": None}, "type_campaign_missing"),
        ({"type_campaign": ""}, "type_campaign_missing"),
        ({"type_campaign": "   "}, "type_campaign_missing"),
        ({"type_campaign": "manual"}, "type_campaign_unknown"),
        ({"type_campaign": "preview&campaign_id=1"}, "type_campaign_unknown"),
        ({"campaign_id": None}, "campaign_id_missing"),
        ({"campaign_id": "12a"}, "campaign_id_not_digits"),
        ({"campaign_id": "-12"}, "campaign_id_not_digits"),
        ({"campaign_id": "1.5"}, "campaign_id_not_digits"),
        ({"campaign_id": 1.5}, "campaign_id_not_digits"),
        ({"campaign_id": "١٢"}, "campaign_id_not_digits"),
        ({"campaign_id": "²"}, "campaign_id_not_digits"),
        ({"campaign_id": "1\n7"}, "campaign_id_not_digits"),
        ({"campaign_id": True}, "campaign_id_not_digits"),
        ({"campaign_id": 1e17}, "campaign_id_not_digits"),
        ({"campaign_id": "17 OR 1=1"}, "campaign_id_not_digits"),
        ({"campaign_id": "1" * 21}, "campaign_id_too_long"),
        ({"customer_id": None}, "customer_id_missing"),
        ({"customer_id": " "}, "customer_id_missing"),
        ({"customer_id": float("nan")}, "customer_id_missing"),
        ({"customer_id": Decimal("NaN")}, "customer_id_missing"),
        ({"customer_id": "9" * 101}, "customer_id_too_long"),
        ({"customer_id": "1\r\nwolkvox-token: x"}, "customer_id_control_characters"),
        ({"cod_act": None}, "cod_act_missing"),
        ({"cod_act": ""}, "cod_act_missing"),
        ({"cod_act": "5" * 51}, "cod_act_too_long"),
        ({"cod_act": "5\t5"}, "cod_act_control_characters"),
        ({"cod_act_2": "5" * 51}, "cod_act_2_too_long"),
        ({"cod_act_2": "5\x00"}, "cod_act_2_control_characters"),
        ({"contacted_at": None}, "contacted_at_missing"),
        ({"contacted_at": "yesterday"}, "contacted_at_unreadable"),
        ({"contacted_at": ""}, "contacted_at_unreadable"),
        ({"contacted_at": 1_767_225_600}, "contacted_at_unreadable"),
        ({"contacted_at": datetime(1, 1, 1)}, "contacted_at_out_of_range"),
        ({"contacted_at": datetime(9999, 12, 31, 23, 59, tzinfo=timezone.utc)}, "contacted_at_out_of_range"),
        ({"contacted_at": date(1999, 12, 31)}, "contacted_at_out_of_range"),
        ({"contacted_at": "2101-01-01 00:00:00"}, "contacted_at_out_of_range"),
    ],
)
def test_an_unsendable_row_says_why(changes: dict[str, object], reason: str) -> None:
    assert read(**changes).reason == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"type_campaign": "Predictive "},
        {"campaign_id": "1" * 20},
        {"customer_id": "a" * 100},
        {"customer_id": "'; DROP TABLE wolkvox.codification; --"},
        {"customer_id": "../../admin?x=1&y=2#z"},
        {"cod_act": "5" * 50},
        {"cod_act_2": ""},
        {"comment": None},
        {"comment": "x" * LONGEST_COMMENT},
        {"comment": "line\r\nline\ttab \\N \\. \"quoted\" 'quoted' 🇨🇴"},
        {"contacted_at": datetime(2000, 1, 1)},
        {"contacted_at": datetime(2100, 12, 31, 23, 59, 59)},
    ],
)
def test_an_odd_but_sendable_row_is_sendable(changes: dict[str, object]) -> None:
    assert read(**changes).reason is None


@pytest.mark.parametrize("character", REFUSED_ANYWHERE)
@pytest.mark.parametrize("column", ["customer_id", "cod_act", "cod_act_2"])
def test_no_field_may_hold_a_character_that_no_person_types(column: str, character: str) -> None:
    contact = read(**{column: f"1{character}2"})
    assert contact.reason == f"{column}_control_characters"
    assert getattr(contact, column) == "1\N{REPLACEMENT CHARACTER}2"


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
    ("comment", "kept"),
    [
        (b"llam\xc3\xb3", "llamó"),
        (b"llam\xf3", "llamó"),
        (b"\x81!", "\N{REPLACEMENT CHARACTER}!"),
        (7, "7"),
        (float("nan"), None),
        (Decimal("sNaN"), None),
        (10**5_000, None),
        ([1], None),
        ({"a": "secret"}, None),
        ("a\u200db", "a\u200db"),
        ("x" * 5_001, "x" * 5_000),
        ("👍" * 5_001, "👍" * 5_000),
        ("one\x0btwo\x0cthree\x85four\nfive\ttab\r\n", "one\ntwo\nthree\nfour\nfive\ttab\r\n"),
        ("a\x00b\x1b[31mc\x07\x7f\x9f\x1f", "a b [31mc    "),
        ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\ud83d\udc4db", "a👍b"),
        ("\x00", " "),
        ("\ufffe\uffff", "\ufffe\uffff"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_no_comment_keeps_a_customer_from_being_codified(comment: object, kept: str | None) -> None:
    contact = read(comment=comment)
    assert (contact.comment, contact.reason, contact.key) == (kept, None, read().key)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 12:00:00.4996+00",
        "2026-03-02T12:00:00.499600000Z",
        "2026-03-02 07:00:00,4996-05:00",
        "2026-03-02 12:00:00.5 +0000",
        "\u200e2026-03-02 07:00:00\xa0",
        "2026-03-02 07:00",
        b"2026-03-02 07:00:00",
    ],
)
def test_a_moment_is_read_as_databases_write_it(text: object) -> None:
    moment = read(contacted_at=text).contacted_at
    assert moment is not None
    assert moment.replace(microsecond=0) == NOON


def test_a_contact_that_is_loaded_anew_with_rounded_fractions_is_the_same() -> None:
    spelt = ("2026-03-02 07:00:00.4996", "2026-03-02 07:00:00.500", "2026-03-02 07:00:00", NOON)
    assert len({read(contacted_at=moment).key for moment in spelt}) == 1


@pytest.mark.parametrize("number", [float("inf"), 1e300, Decimal("Infinity"), Decimal("1E+999999"), Decimal("sNaN")])
def test_a_number_that_is_no_id_breaks_nothing(number: object) -> None:
    assert read(campaign_id=number).reason in ("campaign_id_not_digits", "campaign_id_missing")


@pytest.mark.parametrize(
    ("contacted_at", "utc"),
    [
        (datetime(2026, 3, 2, 7, 0), NOON),
        (datetime(2026, 3, 2, 7, 0, tzinfo=timezone(timedelta(hours=-5))), NOON),
        (datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc), NOON),
        ("2026-03-02 07:00:00", NOON),
        ("2026-03-02T12:00:00Z", NOON),
        (" 2026-03-02T13:00:00+01:00 ", NOON),
        (date(2026, 3, 2), datetime(2026, 3, 2, 5, tzinfo=timezone.utc)),
        ("2026-03-02", datetime(2026, 3, 2, 5, tzinfo=timezone.utc)),
        # Bogota saved daylight in 1992 only: the offset is the same in July.
        (datetime(2026, 7, 2, 7, 0), datetime(2026, 7, 2, 12, tzinfo=timezone.utc)),
    ],
)
def test_a_moment_without_a_zone_is_read_in_bogota(contacted_at: object, utc: datetime) -> None:
    contact = read(contacted_at=contacted_at)
    assert contact.contacted_at == utc
    assert contact.contacted_at is not None
    assert contact.contacted_at.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("wall_clock", "utc"),
    [
        (datetime(2026, 3, 8, 1, 59), datetime(2026, 3, 8, 6, 59, tzinfo=timezone.utc)),
        (datetime(2026, 3, 8, 2, 30), datetime(2026, 3, 8, 7, 30, tzinfo=timezone.utc)),  # the hour that isn't
        (datetime(2026, 3, 8, 3, 0), datetime(2026, 3, 8, 7, 0, tzinfo=timezone.utc)),
        (datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=timezone.utc)),  # the hour that is twice
        (datetime(2026, 11, 1, 1, 30, fold=1), datetime(2026, 11, 1, 6, 30, tzinfo=timezone.utc)),
    ],
)
def test_the_clock_may_change_where_the_zone_changes_it(wall_clock: datetime, utc: datetime) -> None:
    contact = read_contact(row(contacted_at=wall_clock), operation="0041", zone=NEW_YORK)
    assert contact.contacted_at == utc


def test_a_contact_is_the_same_however_its_row_is_spelt() -> None:
    spellings = [
        read(),
        read(type_campaign="PREVIEW"),
        read(campaign_id=17, customer_id=1001.0, cod_act=Decimal(5)),
        read(customer_id=" 1001 ", cod_act_2=""),
        read(contacted_at="2026-03-02 07:00:00"),
        read(comment="told otherwise"),
    ]
    assert {contact.key.hex() for contact in spellings} == {"69a57bc06cfef507e03457d497b14d4a"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"type_campaign": "predictive"}),
        ({}, {"customer_id": "01001"}),
        ({}, {"contacted_at": NOON + timedelta(seconds=1)}),
        ({"campaign_id": "1", "customer_id": "71001"}, {"campaign_id": "17", "customer_id": "1001"}),
        ({"cod_act": "5", "cod_act_2": None}, {"cod_act": None, "cod_act_2": "5"}),
        ({"customer_id": None}, {"customer_id": "None"}),
        ({"customer_id": None}, {"customer_id": "\x00"}),
        ({"cod_act_2": None}, {"cod_act_2": "-1:"}),
        ({"contacted_at": None}, {"contacted_at": "never"}),
        ({"contacted_at": datetime(1, 1, 1)}, {"contacted_at": datetime(9999, 1, 1)}),
        ({"customer_id": "x" * 500 + "a"}, {"customer_id": "x" * 500 + "b"}),
        ({"customer_id": "\ud800"}, {"customer_id": "\ud801"}),
    ],
)
def test_other_contacts_have_other_keys(one: dict[str, object], other: dict[str, object]) -> None:
    assert read(**one).key != read(**other).key


def test_two_operations_may_have_the_same_contact() -> None:
    assert read().key != read_contact(row(), operation="0042", zone=BOGOTA).key


def test_a_huge_comment_is_kept_short() -> None:
    contact = read(comment="x" * 10_000_000)
    assert (contact.reason, contact.comment) == (None, "x" * LONGEST_COMMENT)


ANYTHING = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=())),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.binary(),
    st.datetimes(timezones=st.one_of(st.none(), st.timezones())),
    st.dates(),
    st.sampled_from(["preview", "17", "\x00", "🙂" * 3_000, "'; DROP TABLE x; --", "\r\nwolkvox-token: x", "%s%(x)s"]),
)


@given(st.lists(ANYTHING, min_size=9, max_size=9), st.sampled_from([BOGOTA, NEW_YORK]))
def test_any_row_at_all_becomes_a_contact_the_ledger_can_hold(values: list[object], zone: ZoneInfo) -> None:
    contact = read_contact(values, operation="0041", zone=zone)
    assert contact == read_contact(values, operation="0041", zone=zone)
    assert contact[:9] == read_contact(values[:7], operation="0041", zone=zone)[:9]
    assert contact.direct in (None, True, False)
    assert len(contact.key) == 16
    for name in (*LONGEST, "comment", "channel"):
        text = getattr(contact, name)
        if text is not None:
            text.encode()
            assert "\x00" not in text
            assert len(text) <= LONGEST.get(name, LONGEST_COMMENT)
    if contact.reason is None:
        assert contact.type_campaign in ("preview", "predictive")
        assert contact.campaign_id
        assert contact.customer_id
        assert contact.cod_act
        assert contact.contacted_at is not None


@pytest.mark.parametrize(
    ("channel", "direct", "kept"),
    [
        (" WhatsApp ", True, ("WhatsApp", True)),
        (b"sms", "Sí", ("sms", True)),
        ("x" * 60, "n", ("x" * 50, False)),
        ("a\x00b", 0, ("a\ufffdb", False)),
        ("", "", (None, None)),
        (None, None, (None, None)),
        (b"\xff", "perhaps", (None, None)),
        ([1], {}, (None, None)),
        (7, Decimal("1"), ("7", True)),
        (float("nan"), float("nan"), (None, None)),
        (float("inf"), 2, (None, None)),
    ],
)
def test_a_channel_is_kept_as_it_can_be_read_and_spoils_no_contact(
    channel: object, direct: object, kept: tuple[object, object]
) -> None:
    contact = read_contact([*row(), channel, direct], operation="0041", zone=BOGOTA)
    assert (contact.channel, contact.direct) == kept
    assert contact[:9] == read()[:9]


@pytest.mark.parametrize(
    ("direct", "kept"),
    [
        *[
            (value, False)
            for value in (b"\x00", bytearray(b"\x00"), memoryview(b"\x00\x00"), "falso", "FALSA", "indirecto")
        ],
        *[
            (value, False)
            for value in ("N", "No.", "no directo", "not direct", "contacto indirecto", "b'0'", "0x00", "0.0")
        ],
        *[(value, False) for value in ("\\x00", "00", "off", "f", 0.0, Decimal(0), '="0"', "'N'", "x'00'")],
        *[
            (value, True)
            for value in (b"\x01", b"\x00\x01", "Si\u0301", "s\u00ed", "SÍ.", "verdadero", "V", "directo", "-1")
        ],
        *[
            (value, True)
            for value in ("t", "on", "1.0", "0x01", "\\x01", "b'1'", "01", -1, "Directa", "contacto directo")
        ],
        *[(value, None) for value in (b"", b"\x02", "quizás", "2", "", "null", "tercero", 7)],
    ],
)
def test_whether_both_sides_spoke_is_read_in_all_the_ways_that_drivers_and_people_write_it(
    direct: object, kept: bool | None
) -> None:
    assert read_contact([*row(), None, direct], operation="0041", zone=BOGOTA).direct is kept


QUOTED = [
    '="{}"',
    '"{}"',
    "'{}'",
    "'{}",
    '"=""{}"""',
    "={}",
    "\u201c{}\u201d",
    "\xab{}\xbb",
    ' "\u200b{} " ',
    '"\'{}"',
    "`{}",
]


@pytest.mark.parametrize("quoted", QUOTED)
def test_what_keeps_a_spreadsheet_from_reading_a_number_is_no_part_of_an_id_or_a_code(quoted: str) -> None:
    spelt = read(customer_id=quoted.format("1001"), cod_act=quoted.format("5"), campaign_id=quoted.format("17"))
    assert (spelt.customer_id, spelt.cod_act, spelt.campaign_id, spelt.reason) == ("1001", "5", "17", None)
    assert spelt.key == read().key, "the same contact, and not sent again"


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


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-03-02 12:00:00 UTC",
            "2026-03-02 12:00:00.000 UTC",
            "2026-03-02T12",
            "2026-03-02 12Z",
            "2026-03-02T07-05",
        ),
        *(
            "2026-03-02 07:00:00.000 America/Bogota",
            "2026-03-02 12:00 GMT",
            "2026-03-02 12:00:00UTC",
            "2026-03-02T12:00Z",
        ),
    ],
)
def test_a_moment_is_read_as_athena_and_presto_write_it(text: str) -> None:
    assert read_contact(row(contacted_at=text), operation="0041", zone=timezone.utc).contacted_at == NOON


@pytest.mark.parametrize(
    "text", ["2026-03-02T1", "2026-03-02 12:00 COT", "2026-03-02 12:00 Mars/Base", "2026-03-02T24"]
)
def test_a_moment_that_may_mean_several_things_is_none(text: str) -> None:
    assert read(contacted_at=text).reason == "contacted_at_unreadable"


def test_every_mark_that_nobody_sees_is_known() -> None:
    assert {chr(n) for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n)) == "Cf"} == set(UNSEEN)
