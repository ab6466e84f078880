"""A YAML file's values as they are written, and the line of each."""

from __future__ import annotations

from datetime import date
from textwrap import dedent
from typing import Any

import pytest

from wolkvox.rules.yaml_lines import Document, read_yaml


def read(text: str) -> Document:
    return read_yaml(dedent(text))


def messages(text: str) -> list[str]:
    return [str(mistake) for mistake in read(text).mistakes]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("-0.5", -0.5),
        ("'00123'", "00123"),
        ("!!str 00123", "00123"),
        ("09", "09"),
        ("1e5", "1e5"),
        ("12e34", "12e34"),
        ("a:b", "a:b"),
        ("2026-12-24", date(2026, 12, 24)),
        ("~", None),
        ("", None),
        ("null", None),
        *((word, True) for word in ("yes", "Yes", "on", "ON", "true")),
        *((word, False) for word in ("no", "No", "off", "Off", "false")),
        *((word, word) for word in ("y", "n", "Y", "N", "oui")),
        ("'on'", "on"),
        ("[on, 5, a]", [True, 5, "a"]),
    ],
)
def test_a_value_is_read_as_people_write_it(written: str, value: Any) -> None:
    assert read(f"key: {written}\n").value == {"key": value}


@pytest.mark.parametrize(
    "written", ["00123", "010", "0x1F", "0b1", "1_000", "1:30", "12:00", "+5", "1.5e+3", ".inf", "2026-12-24 10:00:00"]
)
def test_a_number_that_yaml_reads_otherwise_is_no_value_and_is_shown_as_it_is_written(written: str) -> None:
    assert repr(read(f"key: {written}\n").value["key"]) == written


def test_keys_are_texts_as_they_are_written() -> None:
    assert list(read("on: 1\n010: 2\n2026-12-24: 3\n? [a, b]\n: 4\n").value) == ["on", "010", "2026-12-24", "?"]


def test_each_key_and_each_item_has_its_line() -> None:
    found = read(
        """
        # a comment
        sales:
          pool: two

          alert_to:
            - a
            - {b: c}
        """
    )
    assert found.lines == {
        (): 3,
        ("sales",): 3,
        ("sales", "pool"): 4,
        ("sales", "alert_to"): 6,
        ("sales", "alert_to", "0"): 7,
        ("sales", "alert_to", "1"): 8,
        ("sales", "alert_to", "1", "b"): 8,
    }
    assert found.mistake(("sales", "alert_to", "9", "x"), "no.").line == 6
    assert found.mistake(("service",), "no.").line == 3


def test_what_is_merged_counts_where_an_entry_says_nothing_itself_and_has_its_own_line() -> None:
    found = read(
        """\
        x-all: &all {timezone: America/Lima, pool: three}
        x-late: &late
          <<: *all
          timezone: UTC
          run_minutes: 5
        first:
          pool: one
          <<: [*late, *all]
        second: *all
        """
    )
    assert found.mistakes == []
    assert found.value == {
        "first": {"pool": "one", "timezone": "UTC", "run_minutes": 5},
        "second": {"timezone": "America/Lima", "pool": "three"},
    }
    assert [found.lines["first", key] for key in ("pool", "timezone", "run_minutes")] == [7, 4, 5]


def test_only_keys_at_the_top_are_templates() -> None:
    assert read("x-all: {a: 1, a: 2}\nsales:\n  x-all: 1\n").value == {"sales": {"x-all": 1}}


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: 2\na: 3\n", 3), ("{a: 1, b: 2, a: 3}\n", 1), ("? a\n: 1\nb: 2\n'a': 3\n", 4)],
)
def test_a_key_that_is_there_twice_is_a_mistake_with_both_lines(text: str, line: int) -> None:
    found = read(text)
    assert found.value == {"a": 3, "b": 2}
    assert [str(mistake) for mistake in found.mistakes] == [
        f"line {line}, a: this key is there twice, first in line 1: leave one of the two out or rename it."
    ]


@pytest.mark.parametrize("value", ["5", "[a]", "[[a: b]]"])
def test_only_keys_can_be_merged(value: str) -> None:
    assert messages(f"a: &x {value}\nb:\n  <<: *x\n  c: 1\n")[0].startswith("line 3, b.<<: only the keys of an anchor")
    assert read(f"a: &x {value}\nb:\n  <<: *x\n  c: 1\n").value["b"] == {"c": 1}


@pytest.mark.parametrize(
    "text", ["a: &x\n  b: *x\n", "a: &x\n  <<: *x\n", "a: &x [*x]\n", f"a: {'[' * 15}{']' * 15}\n"]
)
def test_what_is_within_itself_is_a_mistake(text: str) -> None:
    assert "within itself" in messages(text)[0] or "into themselves" in messages(text)[0]


def test_aliases_that_multiply_come_to_an_end() -> None:
    lists = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert "nested too deeply" in messages(f"x0: &x0 [{', '.join('abcdefghij')}]\n{lists}")[0]


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "--- # nothing\n...\n", "null\n"])
def test_a_file_that_says_nothing_has_no_value(text: str) -> None:
    assert (read(text).value, read(text).mistakes) == (None, [])


@pytest.mark.parametrize(
    "text",
    [f"a: *{'secret' * 50}\n", f"a: !{'secret' * 50} 1\n", f"a:\n  {'secret' * 50}: 1\n  {'secret' * 50}: 2\n"],
)
def test_a_message_repeats_a_short_piece_at_most(text: str) -> None:
    (message,) = messages(text)
    assert message.count("secret") < 25
