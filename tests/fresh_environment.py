"""Virtual environments of their own, made by the project's uv: for a stock Airflow, and for what agrees with none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CONNECTIONS = ("AIRFLOW_CONN_WOLKVOX_LEDGER", "AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_CONN_WOLKVOX_DEFAULT")


def uv(command: str, *arguments: str | Path) -> None:
    """Run uv."""
    subprocess.run([BIN / "uv", command, "-q", "--system-certs", *arguments], check=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: nothing of the build stays in the project."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split():
        if name.startswith("plugins/") or name in ("pyproject.toml", "LICENSE"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    uv("build", "--wheel", "--python", sys.executable, "-o", folder, source)
    (found,) = folder.glob("*.whl")
    return found


class Elsewhere:
    """A fresh environment with a stock Airflow and the wheel, and nothing of this project's folders."""

    def __init__(self, folder: Path, wheel: Path, *packages: str) -> None:
        self.folder, self.bin = folder, folder / "venv" / "bin"
        uv("venv", "--python", sys.executable, folder / "venv")
        uv("pip", "install", "--python", self.bin / "python", wheel, *packages)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        self.environment = {
            **inherited,
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        }
        self.run("airflow", "db", "migrate")

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of this environment."""
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
        return done
