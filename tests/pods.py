"""
Airflow's KubernetesExecutor without Kubernetes: a process of its own for each task, with the command of a task's pod.

A pod's first process (dumb-init) passes a signal on to all others, so an eviction is a signal to the process' group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from airflow.executors.base_executor import BaseExecutor
from airflow.executors.workloads import All, ExecuteTask
from airflow.models.taskinstancekey import TaskInstanceKey


class Pods(BaseExecutor):
    """Starts a pod's process for each task, and takes its end for the task's."""

    def start(self) -> None:
        self.pods: dict[TaskInstanceKey, subprocess.Popen[bytes]] = {}
        _folder().mkdir(exist_ok=True)

    def _process_workloads(self, workload_items: Sequence[All]) -> None:
        for workload in workload_items:
            assert isinstance(workload, ExecuteTask)
            key = workload.ti.key
            del self.queued_tasks[key]
            module = "airflow.sdk.execution_time.execute_workload"
            command = [sys.executable, "-m", module, "--json-string", workload.model_dump_json()]
            pod = subprocess.Popen(command, start_new_session=True)
            self.pods[key] = pod
            self.running.add(key)
            (_folder() / str(pod.pid)).write_text(workload.ti.task_id)

    def sync(self) -> None:
        for key, pod in list(self.pods.items()):
            if (code := pod.poll()) is not None:
                del self.pods[key]
                (_folder() / str(pod.pid)).unlink()
                self.success(key) if code == 0 else self.fail(key)

    def end(self) -> None:
        self.terminate()

    def terminate(self) -> None:
        for pod in self.pods.values():
            with suppress(ProcessLookupError):
                os.killpg(pod.pid, signal.SIGKILL)


def _folder() -> Path:
    return Path(os.environ["AIRFLOW_HOME"]) / "pods"


def running(home: Path, task: str) -> list[int]:
    """The pods in which a task's instances run, below an Airflow home."""
    return [int(pod.name) for pod in (home / "pods").glob("*") if pod.read_text() == task]


def evict(pod: int, grace: float) -> float:
    """End a pod as Kubernetes does: asked, and by force after so many seconds; how many it took."""
    began = time.monotonic()
    os.killpg(pod, signal.SIGTERM)
    while not _is_over(pod) and time.monotonic() < began + grace:
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(pod, signal.SIGKILL)
    return time.monotonic() - began


def _is_over(pod: int) -> bool:
    try:
        return psutil.Process(pod).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
