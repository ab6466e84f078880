"""``run.py ENVIRONMENT PROGRAM``: become a program of the stack, in the stack's environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", "log-server")


def command(program: str, environment: Mapping[str, str]) -> list[str]:
    """
    The program's command line.

    A program of its own serves the logs of running tasks: Airflow's scheduler and triggerer would do so on every
    network interface.
    """
    uvicorn = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--no-access-log"]
    if program == "sandbox":
        return [*uvicorn, "--port", environment["SANDBOX_PORT"], "sandbox.app:app"]
    if program == "log-server":
        port = environment["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"]
        return [*uvicorn, "--port", port, "--factory", "airflow.utils.serve_logs.log_server:get_app"]
    quiet = ["--skip-serve-logs"] if program in ("scheduler", "triggerer") else []
    return ["airflow", program, *quiet]


def main() -> None:
    """Replace this process by the program."""
    path, program = sys.argv[1:]
    given: dict[str, str] = json.loads(Path(path).read_text())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")} | given
    arguments = command(program, environment)
    os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - the stack's own command lines


if __name__ == "__main__":
    main()
