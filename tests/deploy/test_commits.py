"""Before a commit: what takes seconds of what CI checks."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".pre-commit-config.yaml"


def hooks() -> list[dict[str, Any]]:
    (source,) = YAML(typ="safe").load(CONFIG)["repos"]
    assert source["repo"] == "local"
    return list(source["hooks"])


def test_the_hooks_are_ruff_mypy_and_lint_as_ci_runs_them() -> None:
    subprocess.run([Path(sys.executable).parent / "pre-commit", "validate-config", CONFIG], check=True)
    check = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    programs = [shlex.split(hook["entry"])[0] for hook in hooks()]
    assert programs == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/python"]
    for hook in hooks():
        command = hook["entry"].replace(".venv", "$(VENV)").replace(" --force-exclude", "")
        assert f"\t{command}" in check.splitlines() or f"\t{command} ." in check.splitlines()
        assert hook["language"] == "system"


def test_ci_checks_all_of_it_and_installs_what_tests_need() -> None:
    steps = (ROOT / ".ci" / "run").read_text().splitlines()
    assert steps[-3:] == ['export INSTALL_TEST_SERVERS="${INSTALL_TEST_SERVERS-1}"', "make check", "make test-all"]
