"""A model's complaints as people can follow them: the line, the key, and what to write."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, Field, field_validator

from wolkvox.rules.mistakes import Unreadable
from wolkvox.rules.validation import STRICT, remedy, validated
from wolkvox.rules.yaml_lines import read_yaml


class Guest(BaseModel):
    """A part of the file below."""

    model_config = STRICT

    name: Annotated[str, Field(description="a name, as in Ana")]


class Table(BaseModel):
    """The file below."""

    model_config = STRICT

    seats: Annotated[int, Field(ge=1, description="seats from 1 on, as in 4")]
    place: Annotated[str, Field(description="a room")] = "hall"
    guests: Annotated[list[Guest], Field(description="a list of guests")] = []
    notes: Annotated[dict[str, int], Field(description="a note, as in wine: 2")] = {}

    @field_validator("place")
    @classmethod
    def _no_kitchen(cls, place: str) -> str:
        if place == "kitchen":
            raise remedy("nobody dines in the kitchen: leave it out.")
        if place == "street":
            raise ValueError("it rains")
        return place


def read(text: str) -> Table:
    found = read_yaml(text)
    return validated(Table, found, (), found.value)


def test_values_are_taken_as_they_are_and_a_key_without_one_has_its_default() -> None:
    table = read("seats: 4\nplace:\nguests: [{name: Ana}]\n")
    assert (table.seats, table.place, table.guests[0].name) == (4, "hall", "Ana")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("place: a\n", "line 1, seats: it is missing: give seats from 1 on, as in 4."),
        ("\nseats: 0\n", "line 2, seats: 0 can't be used: give seats from 1 on, as in 4."),
        ("seats: '4'\n", "line 1, seats: '4' can't be used: give seats from 1 on, as in 4."),
        ("seats: 4\nplace: street\n", "line 2, place: 'street' can't be used (it rains): give a room."),
        ("seats: 4\nplace: kitchen\n", "line 2, place: nobody dines in the kitchen: leave it out."),
        (
            "seats: 4\nplaces: a\n",
            "line 2, places: there is no such key: did you mean place? The keys are seats, place, guests, notes.",
        ),
        ("seats: 4\nwine: 1\n", "line 2, wine: there is no such key: leave it out. The keys are seats, place,"),
        ("seats: 4\nguests:\n  - name: 5\n", "line 3, guests.0.name: 5 can't be used: give a name, as in Ana."),
        (
            "seats: 4\nguests:\n  - nam: a\n    name: b\n",
            "line 3, guests.0.nam: there is no such key: did you mean name?",
        ),
        ("seats: 4\nguests:\n  - {}\n", "line 3, guests.0.name: it is missing: give a name"),
        ("seats: 4\nguests: Ana\n", "line 2, guests: 'Ana' can't be used: give a list of guests."),
        ("seats: 4\nnotes:\n  wine: red\n", "line 3, notes.wine: 'red' can't be used: give a note, as in wine: 2."),
    ],
)
def test_a_mistake_has_its_line_its_key_and_what_to_write(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(text)
    assert str(error.value).startswith(message)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(Unreadable) as error:
        read("seats: 0\nguests: [{name: 1}, {}]\nwine: 1\n")
    assert [mistake.key for mistake in error.value.mistakes] == ["seats", "guests.0.name", "guests.1.name", "wine"]


def test_a_wrong_value_is_in_no_other_error_and_is_shortened() -> None:
    with pytest.raises(Unreadable) as error:
        read(f"seats: {'secret' * 50}\n")
    assert (error.value.__cause__, error.value.__context__) == (None, None)
    assert str(error.value).count("secret") < 11
