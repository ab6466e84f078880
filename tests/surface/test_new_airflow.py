"""What ``python -m wolkvox`` says where Airflow's own database isn't ready: a line, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox_server import free_port

REMEDY = "run `airflow db migrate` first; else check AIRFLOW__DATABASE__SQL_ALCHEMY_CONN."


@pytest.mark.parametrize("command", ["pools", "check"])
@pytest.mark.parametrize("address", ["empty", "postgresql+psycopg2://airflow:hidden@127.0.0.1:{}/airflow"])
def test_a_database_that_can_not_be_asked_is_one_line_with_its_remedy(
    tmp_path: Path, command: str, address: str
) -> None:
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": empty if address == "empty" else address.format(free_port()),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    python = [sys.executable, "-m", "wolkvox", command]
    done = subprocess.run(python, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert said.count(REMEDY) == 1
    assert "Traceback" not in said
    assert "hidden" not in said
