"""The deployer's check, in a real Airflow: one line for each thing, and an exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from airflow_server import Airflow

from local.settings import started_with

pytest_plugins = ("airflow_server",)


def check(airflow: Airflow, **changed: str) -> tuple[int, dict[str, str]]:
    """Its exit code, and its lines by what they are about."""
    environment = {"PATH": os.environ["PATH"], **started_with(airflow.stack.root), **changed}
    done = subprocess.run(
        [sys.executable, "-m", "wolkvox", "check"], env=environment, capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "FAIL"))]
    return done.returncode, {line[5:33].strip().removeprefix("wolkvox_codify "): line[:4] + line[33:] for line in lines}


def test_a_sound_deployment_is_told_so(airflow: Airflow) -> None:
    code, lines = check(airflow)
    assert {name: line[:4] for name, line in lines.items()} == dict.fromkeys(
        ("settings", "ledger", "schema", "warehouse", "vendor", "pool", "polls", "mail"), "ok  "
    ), lines
    assert code == 0
    assert "its first row can be sent" in lines["warehouse"]
    assert "2 slots" in lines["pool"]
    assert "polls for work every 5 s" in lines["polls"]


@pytest.mark.parametrize(
    ("variable", "value", "name", "words"),
    [
        (
            "AIRFLOW_CONN_WOLKVOX_DEFAULT",
            '{"conn_type": "wolkvox", "host": "http://127.0.0.1:9"}',
            "settings",
            "has no token",
        ),
        ("AIRFLOW_CONN_WOLKVOX_LEDGER", "postgresql://nobody@127.0.0.1:9/none", "ledger", "can't be reached"),
        ("AIRFLOW_CONN_WAREHOUSE", "elsewhere", "warehouse", 'relation "contacted_customers" does not exist'),
    ],
)
def test_what_is_wrong_is_one_line_of_it(airflow: Airflow, variable: str, value: str, name: str, words: str) -> None:
    code, lines = check(airflow, **{variable: airflow.stack.uri("postgres") if value == "elsewhere" else value})
    assert code == 1
    assert lines[name].startswith("FAIL")
    assert words in lines[name]
    assert lines["pool"].startswith("ok"), "the other lines are told too"


def test_a_pool_of_another_size_is_told(airflow: Airflow) -> None:
    environment = {"PATH": os.environ["PATH"], **started_with(airflow.stack.root)}

    def pool(slots: int) -> None:
        command = ["airflow", "pools", "set", "wolkvox", str(slots), "requests at a time"]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    pool(5)
    try:
        code, lines = check(airflow)
    finally:
        pool(2)
    assert (code, "of 5 slots" in lines["pool"]) == (1, True)


def test_a_pool_that_is_missing_is_told_and_made(airflow: Airflow) -> None:
    environment = {"PATH": os.environ["PATH"], **started_with(airflow.stack.root)}

    def wolkvox(command: str) -> str:
        made = [sys.executable, "-m", "wolkvox", command]
        return subprocess.run(made, env=environment, check=True, capture_output=True, text=True).stdout

    airflow.api().send("DELETE", "/pools/wolkvox", None)
    try:
        code, lines = check(airflow)
    finally:
        made = wolkvox("pools")
    assert (code, "make it with `python -m wolkvox pools`" in lines["pool"]) == (1, True)
    assert made.splitlines()[-1] == "Pool wolkvox: made, with two slots."
    assert airflow.api().get("/pools/wolkvox")["slots"] == 2
    assert "made" not in wolkvox("pools"), "what is there stays as it is"


def test_without_a_dag_the_usual_connections_are_looked_at_all_the_same(airflow: Airflow, tmp_path: Path) -> None:
    code, lines = check(airflow, AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path))
    assert code == 1
    assert {name: line[:4] for name, line in lines.items()} == {
        "dag": "FAIL",
        **dict.fromkeys((f"usual connections {name}" for name in ("settings", "ledger", "schema", "vendor")), "ok  "),
    }


def test_every_mistake_of_the_operations_file_is_a_line(airflow: Airflow, tmp_path: Path) -> None:
    dags = Path(shutil.copytree(Path(__file__).parents[2] / "dags", tmp_path / "dags"))
    (dags / "operations.yaml").write_text("default:\nsales:\n  pool: 1\n  scheduel: x\n")
    changed = {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}
    environment = {"PATH": os.environ["PATH"], **started_with(airflow.stack.root), **changed}
    done = subprocess.run(
        [sys.executable, "-m", "wolkvox", "check"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "line 3, sales.pool: 1 can't be used" in done.stdout
    assert "line 4, sales.scheduel: there is no such key: did you mean schedule?" in done.stdout
