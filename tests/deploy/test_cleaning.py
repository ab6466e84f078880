"""The service ``cleaning`` with its own commands: what goes, what stays, and who sees that a step fails."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from composed import RAW, REQUIRED, interpolate, substitute

DAY = 86_400
RUN = "dag_id=wolkvox_codify/run_id=scheduled__{}/task_id=stage"


class Cleaning:
    """The service in a folder; ``airflow`` and ``sleep`` are scripts of a line."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.logs = folder, folder / "logs"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.logs.mkdir()
        (folder / "tmp").mkdir()
        here = {"/opt/airflow": str(folder), "/tmp/": f"{folder}/tmp/"}
        self.service = interpolate(substitute(RAW["services"]["cleaning"], here), dict.fromkeys(REQUIRED, "x"))
        self.program("airflow", f'echo "$@" >> {folder}/airflow.log')
        self.program("sleep", "kill $PPID")  # the day is over, and with it the test

    def program(self, name: str, line: str) -> None:
        """Put a script in the place of a program."""
        (self.bin / name).write_text(f"#!/bin/sh\n{line}\n")
        (self.bin / name).chmod(0o755)

    def file(self, path: str, days: float) -> Path:
        """A log that was last written so many days ago."""
        file = self.logs / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a line\n")
        age(file, days)
        return file

    def turn(self, keep_days: int = 90) -> None:
        """Let it clean once."""
        subprocess.run(self.service["command"], env=self._environment(keep_days), capture_output=True, check=False)

    def is_healthy(self) -> bool:
        kind, *command = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(command, env=self._environment(90), capture_output=True).returncode == 0

    def _environment(self, keep_days: int) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "KEEP_DAYS": str(keep_days)}


@pytest.fixture
def cleaning(tmp_path: Path) -> Cleaning:
    return Cleaning(tmp_path)


def age(path: Path, days: float) -> None:
    """Let a file or folder have been changed so many days ago."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def test_it_begins_at_once_and_has_airflows_history_deleted(cleaning: Cleaning) -> None:
    cleaning.turn()
    (said,) = (cleaning.folder / "airflow.log").read_text().splitlines()
    assert said.startswith("db clean --clean-before-timestamp 2")
    assert said.endswith("--skip-archive --yes")


def test_old_logs_go_and_what_is_kept_stays(cleaning: Cleaning) -> None:
    old = cleaning.file(f"{RUN.format('old')}/attempt=1.log", 92)
    young = cleaning.file(f"{RUN.format('young')}/attempt=1.log", 89)
    cleaning.turn()
    assert (old.exists(), young.exists()) == (False, True)


def test_the_folders_of_an_old_run_go_within_days(cleaning: Cleaning) -> None:
    """A folder is changed when what is in it goes, so each level takes a day."""
    old = cleaning.file(f"{RUN.format('old')}/attempt=1.log", 92)
    young = cleaning.file(f"{RUN.format('young')}/attempt=1.log", 1)
    for _ in range(3):
        cleaning.turn()
        for folder in cleaning.logs.rglob("*"):
            age(folder, 1.1)
    assert [folder for folder in (old.parent, old.parent.parent) if folder.exists()] == []
    assert young.exists()


@pytest.mark.parametrize("folder", [RUN.format("now"), "dag_id=new", "dag_processor/2026-11-28"])
def test_a_folder_that_was_just_made_stays(cleaning: Cleaning, folder: str) -> None:
    """Its log may be about to be written."""
    (cleaning.logs / folder).mkdir(parents=True)
    cleaning.turn()
    assert (cleaning.logs / folder).exists()


def test_the_volume_itself_stays(cleaning: Cleaning) -> None:
    age(cleaning.logs, 200)
    cleaning.turn()
    assert cleaning.logs.exists()


def test_logs_go_when_airflows_history_can_not_be_deleted(cleaning: Cleaning) -> None:
    cleaning.program("airflow", "exit 1")
    old = cleaning.file(f"{RUN.format('old')}/attempt=1.log", 92)
    cleaning.turn()
    assert not old.exists()


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("airflow", "exit 1"),
        ("airflow", "kill -9 $$"),
        ("find", 'case "$*" in *"-type f"*) exit 1;; *) exec /usr/bin/find "$@";; esac'),
        ("find", 'case "$*" in *"-type d"*) exit 1;; *) exec /usr/bin/find "$@";; esac'),
    ],
)
def test_a_step_that_fails_is_seen_until_a_day_on_which_none_does(cleaning: Cleaning, program: str, line: str) -> None:
    cleaning.program(program, line)
    cleaning.turn()
    assert not cleaning.is_healthy()
    (cleaning.bin / program).unlink()
    cleaning.program("airflow", "exit 0")
    cleaning.turn()
    assert cleaning.is_healthy()


def test_one_that_does_nothing_for_more_than_a_day_is_unhealthy(cleaning: Cleaning) -> None:
    assert not cleaning.is_healthy()
    cleaning.turn()
    assert cleaning.is_healthy()
    age(cleaning.folder / "tmp" / "failed", 1.1)
    assert not cleaning.is_healthy()
