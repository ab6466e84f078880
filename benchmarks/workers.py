"""
Two processes that send at the same time.

A worker is a program that says "ready" when it has imported what it needs, waits for a line, works, and says
what it did as one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Timer
from typing import Any

from benchmarks import PROJECT
from benchmarks.figure import BrokenMeasurement

TIMEOUT = 600.0  # seconds until workers that hang are ended


@dataclass(frozen=True, slots=True)
class Outcome:
    """``seconds`` from the start of all workers to the end of the last one."""

    seconds: float
    said: list[dict[str, Any]]


def run(commands: Sequence[Sequence[str]]) -> Outcome:
    """
    Run these workers side by side.

    :raises BrokenMeasurement: one of them failed
    """
    processes = [
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    watch = Timer(TIMEOUT, _end, [processes])
    watch.start()
    try:
        for process in processes:
            _expect(process, "ready")
        began = time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [json.loads(_expect(process, "{")) for process in processes]
        return Outcome(time.perf_counter() - began, said)
    finally:
        watch.cancel()
        for process in processes:
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.kill()


def _expect(process: subprocess.Popen[str], start: str) -> str:
    """The next line that begins so; other output is a library's chatter."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise BrokenMeasurement(f"{' '.join(map(str, process.args))} ended early")  # type: ignore[arg-type]


def module(name: str, *arguments: str) -> list[str]:
    """The command line of a worker of ours."""
    return [sys.executable, "-m", f"benchmarks.{name}", *arguments]


def serve(work: Callable[[], dict[str, Any]]) -> None:
    """The worker's side: everything is imported by now."""
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(work()), flush=True)
