"""``python -m wolkvox lint``: the files that people write, checked before they are deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it where nothing of Airflow can be imported."""
    without = (
        "import sys, runpy; sys.argv[0] = 'wolkvox'; sys.modules['airflow'] = None;"
        " runpy.run_module('wolkvox', run_name='__main__')"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "plugins"), **variables}
    command = [sys.executable, "-c", without, "lint", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    """The folder of the DAG files, beside it one of wrong files."""
    (tmp_path / "include" / "protection").mkdir(parents=True)
    (tmp_path / "include" / "operations.yaml").write_text(
        "sales:\n  scheduel: x\n  protection: protection/ours.yaml\nservice:\n  wake: never\n"
    )
    (tmp_path / "include" / "protection" / "ours.yaml").write_text("timezone: America/Lima\nrules:\n  - days: 0\n")
    (tmp_path / "include" / "protection" / "mine.yml").write_text("timezone: [America/Lima\n")
    (tmp_path / "dags").mkdir()
    return tmp_path / "dags"


def test_the_shipped_files_have_no_mistake() -> None:
    done = lint()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "3 files without a mistake: include/operations.yaml, include/protection/chile.yaml,"
        " include/protection/colombia.yaml.\n"
    )


def test_each_mistake_is_a_line_with_its_place_as_editors_and_ci_link_it(dags: Path) -> None:
    done = lint(str(dags))
    assert (done.returncode, done.stderr) == (1, "")
    include = dags.parent / "include"
    assert [line.split(": ")[:2] for line in done.stdout.splitlines()] == [
        [f"{include / 'operations.yaml'}:2", "sales.scheduel"],
        [f"{include / 'operations.yaml'}:5", "service.wake"],
        [f"{include / 'protection' / 'mine.yml'}:2", "timezone"],
        [f"{include / 'protection' / 'ours.yaml'}:3", "rules.0.days"],
    ]


def test_the_folder_of_airflows_dags_is_taken_where_none_is_named(dags: Path) -> None:
    done = lint(AIRFLOW__CORE__DAGS_FOLDER=str(dags))
    assert str(dags.parent) in done.stdout


def test_a_folder_without_files_has_no_mistake_and_no_folder_is_one(tmp_path: Path) -> None:
    done = lint(str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "0 files without a mistake: none there.\n")
    done = lint(str(tmp_path / "dag"))
    assert done.returncode == 1
    assert done.stdout.startswith("There is no folder ")


@pytest.mark.parametrize("name", ["operations", "protection"])
def test_it_prints_a_schema_for_editors(name: str) -> None:
    done = lint("--schema", name)
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads((ROOT / "include" / "schemas" / f"{name}.json").read_text())


def test_it_takes_less_than_a_second_of_a_core() -> None:
    before = os.times()
    assert lint().returncode == 0
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1
