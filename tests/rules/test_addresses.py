"""E-mail addresses as people write them."""

from __future__ import annotations

import pytest

from wolkvox.rules.addresses import Addresses, read_addresses

BOTH = ["ana@x.co", "luis@y.com.co"]


@pytest.mark.parametrize(
    "text",
    [
        "ana@x.co,luis@y.com.co",
        "ana@x.co; luis@y.com.co",
        " ana@x.co ;\n; luis@y.com.co;",
        "ana@x.co\nluis@y.com.co\n",
        "ana@x.co\r\nluis@y.com.co",
        "ana@x.co luis@y.com.co",
        "ana@x.co\tluis@y.com.co",
        '["ana@x.co", "luis@y.com.co"]',
        '["ana@x.co; luis@y.com.co"]',
        "['ana@x.co', 'luis@y.com.co']",
        '"ana@x.co", "luis@y.com.co"',
        "Ana <ana@x.co>, Luis <luis@y.com.co>",
        "Ana María Pérez <ana@x.co>; <luis@y.com.co>",
        '"Pérez, Ana" <ana@x.co>, luis@y.com.co',
        '["\\"Pérez, Ana\\" <ana@x.co>", "Luis <luis@y.com.co>"]',
        "Ana <ana@x.co> luis@y.com.co",
        "mailto:ana@x.co, ANA@X.CO, luis@y.com.co",
        "ana@x.co,, ,luis@y.com.co,ana@x.co",
    ],
)
def test_two_addresses_are_read_however_they_are_written(text: str) -> None:
    assert [address.lower() for address in read_addresses(text).usable] == BOTH
    assert read_addresses(text).left_aside == []


def test_several_texts_are_read_as_one() -> None:
    assert read_addresses("ana@x.co", "Luis <luis@y.com.co>").usable == BOTH
    assert read_addresses() == read_addresses("", " \n;,") == Addresses()


@pytest.mark.parametrize(
    ("text", "left_aside"),
    [
        ("ana@x.co, ana", ["ana"]),
        ("ana@x.co; luis@", ["luis@"]),
        ("ana@x.co; Luis <luis>", ["luis"]),
        ("ana@x.co; a@b@c.co", ["a@b@c.co"]),
        ('["ana@x.co", 5, null, ["luis"]]', ["5", "None", "luis"]),
        ("ana@x.co, {{conn.wolkvox_default.password}}@x.co", ["{{conn.wolkvox_default.password}}@x.co"]),
        ("ana@x.co, " + "a" * 300 + "@x.co", ["a" * 300 + "@x.co"]),
        ("ana@x.co, a\x00b@x.co", ["a\x00b@x.co"]),
        ('["ana@x.co", "a\\ud800@x.co"]', ["a\ud800@x.co"]),
        ("ana@x.co, a\u202e@x.co", ["a\u202e@x.co"]),
    ],
)
def test_what_is_no_address_is_left_aside_and_the_others_are_read(text: str, left_aside: list[str]) -> None:
    assert read_addresses(text) == Addresses(["ana@x.co"], left_aside)


@pytest.mark.parametrize("part", ["<", '"', "[", " ", "a<", '"a', "@", "a@", "a.@", ",", "[" * 5 + "1"])
def test_no_text_takes_long(part: str) -> None:
    read_addresses(part * 200_000)
