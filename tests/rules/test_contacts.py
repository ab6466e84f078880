# ruff: noqa: DTZ001 - moments without a zone are what is tested
"""Which rows can be sent, why the others can't, and what makes two rows the same contact."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from contact_rows import BOGOTA, NEW_YORK, NOON, read, row
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.contacts import LONGEST, LONGEST_COMMENT, Contact, read_contact

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


def test_a_contact_that_is_loaded_anew_with_rounded_fractions_is_the_same() -> None:
    spelt = ("2026-03-02 07:00:00.4996", "2026-03-02 07:00:00.500", "2026-03-02 07:00:00", NOON)
    assert len({read(contacted_at=moment).key for moment in spelt}) == 1


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
