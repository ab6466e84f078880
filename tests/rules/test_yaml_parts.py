"""What is left of a file that is no YAML: all of its parts that are."""

from __future__ import annotations

import pytest

from wolkvox.rules.yaml_lines import read_yaml as read

# A part that is no YAML, and where and what its mistake is.
BROKEN = {
    "bad: 'x\n": "line 3, bad: this is no YAML (found unexpected end of stream)",
    "bad: [x\n": "line 3, bad: this is no YAML (expected ',' or ']'",
    "bad: x: y\n": "line 2, bad: this is no YAML (mapping values are not allowed here)",
    "bad:\n\ta: 1\n": "line 3, bad: this is no YAML (found character '\\t'",
    "bad: *nobody\n": "line 2, bad: this is no YAML (found undefined alias 'nobody')",
    "bad:\n  a: 1\n  b: \x07\n": "line 4, bad: this is no YAML (special characters are not allowed)",
    "bad\n": "line 2: a key in the first column, and a colon, must come before what it holds.",
    '""\n': "line 2: a key in the first column, and a colon, must come before what it holds.",
    "! bad: x\n  a: b\n": "line 3: this is no YAML (mapping values are not allowed here)",
    "&bad\n  a: b\n": "line 2: a key in the first column, and a colon, must come before what it holds.",
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_part_that_is_no_yaml_takes_no_other_down(part: str) -> None:
    found = read(f"first: &all {{a: 1}}\n{part}good: 2\nmerged:\n  <<: *all\n")
    assert found.value == {"first": {"a": 1}, "good": 2, "merged": {"a": 1}}
    (mistake,) = found.mistakes
    assert str(mistake).startswith(BROKEN[part])


def test_what_comes_before_the_first_column_is_a_mistake_and_takes_no_other_down() -> None:
    found = read("# sales\n  pool: one\ngood: 1\n")
    assert found.value == {"good": 1}
    assert [mistake.line for mistake in found.mistakes] == [2]


def test_who_merges_a_part_that_is_no_yaml_is_a_mistake_too() -> None:
    found = read("first: &all\n  a: 'x\nsecond:\n  <<: *all\ngood: 1\n")
    assert found.value == {"good": 1}
    assert [(mistake.line, mistake.place) for mistake in found.mistakes] == [(3, ("first",)), (4, ("second",))]


def test_a_second_document_is_a_mistake() -> None:
    found = read("a: 1\n---\nb: 2\n")
    assert found.value == {"b": 2}
    assert [mistake.line for mistake in found.mistakes] == [2]


def test_far_too_many_brackets_are_a_mistake_of_their_part() -> None:
    found = read(f"a: {'[' * 500}\ngood: 1\n")
    assert found.value == {"good": 1}
    assert [mistake.place for mistake in found.mistakes] == [("a",)]
