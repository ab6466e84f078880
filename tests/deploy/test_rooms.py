"""A room's tests share one stack, one browser and what they install: they have to run in one process."""

import os

import pytest


def test_the_tests_of_a_room_stay_in_one_process(request: pytest.FixtureRequest) -> None:
    shared_out = "PYTEST_XDIST_WORKER" in os.environ
    assert request.node.nodeid.endswith("@deploy") == shared_out
