"""The real sandbox in a process of its own, for tests that talk to it over HTTP."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from sandbox.state import Stats

INCLUDE = Path(__file__).resolve().parents[1] / "include"
START_SECONDS = 30.0


class SandboxServer:
    """
    A running sandbox; ``with SandboxServer() as sandbox`` stops it in the end.

    :param latency: seconds that a call takes, until ``control(latency=...)`` says otherwise
    :param licenses: a thousand calls a day for each
    """

    def __init__(self, *, latency: float = 0.02, licenses: int = 20) -> None:
        self.token = secrets.token_hex(16)
        self._environment = {
            "PYTHONPATH": str(INCLUDE),
            "SANDBOX_TOKEN": self.token,
            "SANDBOX_LATENCY": str(latency),
            "SANDBOX_LICENSES": str(licenses),
        }
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._desk = requests.Session()
        self._desk.trust_env = False
        self._process = self._start()

    def __enter__(self) -> "SandboxServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def connection(self, **extra: object) -> str:
        """``AIRFLOW_CONN_WOLKVOX_DEFAULT`` for this sandbox."""
        return json.dumps(
            {
                "conn_type": "wolkvox",
                "host": self.url,
                "password": self.token,
                "extra": {"wolkvox_server": "0041", **extra},
            }
        )

    def stats(self) -> Stats:
        """What the sandbox saw since its start or the last reset."""
        stats: Stats = self._ask("GET", "/stats").json()
        return stats

    def control(self, **settings: Any) -> None:
        """Change settings and plan faults; ValueError with the sandbox's reason when it refuses them."""
        self._ask("PUT", "/control", settings)

    def dial(self, campaign_id: str, calls: int) -> None:
        """The dialler makes so many calls in a campaign."""
        self._ask("POST", "/dial", {"campaign_id": campaign_id, "calls": calls})

    def truth(self) -> dict[str, list[list[str]]]:
        """All that the dialler did and was told: campaign, customer, moment."""
        truth: dict[str, list[list[str]]] = self._ask("GET", "/truth").json()
        return truth

    def reset(self) -> None:
        """Counts, quota, faults and settings as they were at the start."""
        self._ask("POST", "/reset")

    def restart(self) -> None:
        """Kill the server and start it anew on the same port; all it knew is gone."""
        self.stop()
        self._process = self._start()

    def stop(self) -> None:
        """Kill the server, whatever is in flight."""
        self._desk.close()
        self._process.kill()
        self._process.wait()

    def _ask(self, method: str, path: str, content: object = None) -> requests.Response:
        response = self._desk.request(method, self.url + path, json=content, timeout=10)
        if response.status_code == 400:
            raise ValueError(response.text)
        response.raise_for_status()
        return response

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "uvicorn", "sandbox.app:app", "--host", "127.0.0.1"]
        command += ["--port", str(self._port), "--no-access-log", "--log-level", "warning"]
        command += ["--timeout-keep-alive", "75"]
        process = subprocess.Popen(command, env={**os.environ, **self._environment})
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"the sandbox did not start (exit status {process.wait()})")
            time.sleep(0.02)
        return process

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/stats")
        except requests.ConnectionError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as examine:
        examine.bind(("127.0.0.1", 0))
        port: int = examine.getsockname()[1]
        return port
