"""Before a commit the same is checked as before a merge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]


def test_the_hook_runs_what_ci_checks() -> None:
    file = ROOT / ".pre-commit-config.yaml"
    subprocess.run([Path(sys.executable).parent / "pre-commit", "validate-config", file], check=True)
    (source,) = YAML(typ="safe").load(file)["repos"]
    (hook,) = source["hooks"]
    assert (source["repo"], hook["language"], hook["always_run"]) == ("local", "system", True)
    assert hook["entry"] in (ROOT / ".ci" / "run").read_text().splitlines()
