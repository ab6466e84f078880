"""Addresses that lead from Airflow to the page and back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wolkvox.operators.link import RowsLink
from wolkvox.page.links import record_path


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        ("http://airflow:8080", "http://airflow:8080/plugin/wolkvox/wolkvox/?run=a%2Bb&dag=x&chunk=3"),
        ("https://host/team/", "https://host/team/plugin/wolkvox/team/wolkvox/?run=a%2Bb&dag=x&chunk=3"),
    ],
)
def test_a_task_leads_to_its_chunk(monkeypatch: pytest.MonkeyPatch, base_url: str, link: str) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    task: Any = SimpleNamespace(dag_id="x", run_id="a+b", map_index=2)
    assert RowsLink().get_link(task, ti_key=task) == link


def test_a_record_leads_to_the_task_that_had_it_last() -> None:
    assert record_path(None, None, None) is None
    assert record_path(None, "a+b", None) == "dags/wolkvox_codify/runs/a%2Bb/tasks/stage"
    assert record_path("other", "a+b", 3) == "dags/other/runs/a%2Bb/tasks/codify/mapped/2"
