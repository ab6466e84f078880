"""How long the DAG file takes to import, over ``import airflow.sdk`` alone."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from benchmarks import PROJECT
from benchmarks.figure import Figure
from benchmarks.place import Place

PROGRAM = """
import airflow.sdk, importlib.util, sys, time
began = time.perf_counter()
spec = importlib.util.spec_from_file_location("dag_file", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
print("seconds", time.perf_counter() - began)
"""


def measure(place: Place) -> list[Figure]:
    """Milliseconds, each in a process of its own."""
    seconds = [_seconds() for _ in range(place.pick(9, 3))]
    return [Figure("DAG file: import over airflow.sdk", median(seconds) * 1000, "ms", 150, at_most=True)]


def _seconds() -> float:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "plugins")}
    command = [sys.executable, "-c", PROGRAM, str(PROJECT / "dags" / "wolkvox_codify.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.rpartition("seconds ")[2])
