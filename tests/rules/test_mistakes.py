"""How a mistake in a file is written."""

from __future__ import annotations

import pytest

from wolkvox.rules.mistakes import Mistake, Unreadable, shortened


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((), "line 3: no."),
        (("sales",), "line 3, sales: no."),
        (("sales", "alert_to", "0"), "line 3, sales.alert_to.0: no."),
        (("x" * 61,), f"line 3, {'x' * 60}…: no."),
    ],
)
def test_a_mistake_begins_with_its_line_and_key(place: tuple[str, ...], message: str) -> None:
    assert str(Mistake(3, place, "no.")) == message


def test_an_unreadable_file_says_all_its_mistakes() -> None:
    error = Unreadable([Mistake(1, ("a",), "no."), Mistake(2, ("b",), "nor this.")])
    assert str(error) == "line 1, a: no. line 2, b: nor this."


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "nothing"), ("a", "'a'"), (5, "5"), ("x" * 99, f"'{'x' * 59}…"), ([1, "a"], "[1, 'a']")]
)
def test_a_value_is_shown_by_a_short_piece(value: object, shown: str) -> None:
    assert shortened(value) == shown
