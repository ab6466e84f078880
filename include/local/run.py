"""``run.py ENVIRONMENT PROGRAM``: become a program of the stack, in the stack's environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer")


def command(program: str, environment: Mapping[str, str]) -> list[str]:
    """
    The program's command line.

    The scheduler and the triggerer serve no logs: they would do so on every network interface, and the
    api-server reads the same files.
    """
    if program == "sandbox":
        server = [
            sys.executable,
            "-m",
            "uvicorn",
            "sandbox.app:app",
            "--no-access-log",
            "--host",
            "127.0.0.1",
        ]
        return [*server, "--port", environment["SANDBOX_PORT"]]
    quiet = ["--skip-serve-logs"] if program in ("scheduler", "triggerer") else []
    return ["airflow", program, *quiet]


def main() -> None:
    """Replace this process by the program."""
    path, program = sys.argv[1:]
    given: dict[str, str] = json.loads(Path(path).read_text())
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")
    } | given
    arguments = command(program, environment)
    os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - the stack's own command lines


if __name__ == "__main__":
    main()
