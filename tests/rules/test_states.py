"""The states of a record: Python, the ledger's checks (tests/ledger/test_constraints.py) and the page have one list."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from wolkvox.rules.states import FINAL, SETTLED, UNSETTLED, State

STATIC = Path(__file__).parents[2] / "plugins" / "wolkvox" / "page" / "static"


def listed(file: str, name: str) -> list[str]:
    """The strings of a list of the page's JavaScript."""
    found = re.search(rf"const {name} = (\[[^\]]*\])", (STATIC / file).read_text())
    assert found is not None
    strings: list[str] = json.loads(found[1])
    return strings


def test_every_state_is_unsettled_or_settled_and_only_what_is_held_is_settled_but_not_final() -> None:
    assert {*UNSETTLED, *SETTLED} == set(State)
    assert not set(UNSETTLED) & set(SETTLED)
    assert set(SETTLED) - set(FINAL) == {State.HELD}


def test_the_page_lists_the_same_states_in_the_same_order() -> None:
    assert listed("titles.js", "STATES") == [*State]
    assert listed("columns.js", "WAITING") == [*UNSETTLED]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_has_a_name_for_each_state(language: str) -> None:
    dictionary = json.loads((STATIC / f"dictionary.{language}.json").read_text())
    assert {key.removeprefix("state.") for key in dictionary if re.fullmatch(r"state\.[a-z]+", key)} >= set(State)


@pytest.mark.parametrize("state", State)
def test_a_state_is_written_as_the_ledger_keeps_it(state: State) -> None:
    assert f"{state}" == str(state) == state.value == json.loads(json.dumps(state))
