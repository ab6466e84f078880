"""Tests that share what takes long to start run in one process, wherever there are several."""

from __future__ import annotations

from typing import Any

import conftest
import pytest


def group(item: pytest.Item) -> str:
    """The tests with which it has to stay, by the only mark of its kind."""
    (mark,) = item.iter_markers("xdist_group")
    return str(mark.args[0])


def items(request: pytest.FixtureRequest, **fixtures: list[str]) -> list[Any]:
    """Tests of files in the room ``ui``, by the fixtures that each uses."""
    made = []
    for name, used in fixtures.items():
        item = pytest.Function.from_parent(request.node.parent, name=name, callobj=lambda: None)
        item.path = request.node.path.parents[1] / "ui" / f"{name.partition('__')[0]}.py"
        item.fixturenames = used
        made.append(item)
    return made


def test_a_files_tests_stay_together(request: pytest.FixtureRequest) -> None:
    assert group(request.node) == "deploy/test_grouping"


def test_all_that_use_the_stack_are_slow_and_stay_with_the_rest_of_their_files(
    request: pytest.FixtureRequest,
) -> None:
    made = items(request, test_page=["airflow"], test_access=["logins", "airflow"], test_access__2=[], test_words=[])
    conftest.pytest_collection_modifyitems(made)
    assert {item.name: group(item) for item in made} == {
        "test_page": "airflow",
        "test_access": "airflow",
        "test_access__2": "airflow",
        "test_words": "ui/test_words",
    }
    assert [item.name for item in made if item.get_closest_marker("slow")] == ["test_page", "test_access"]
