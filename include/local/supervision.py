"""The process manager (supervisord) of one stack: start it, talk to it, leave no process behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from local import postgres
from local.run import AIRFLOW
from local.settings import Stack, StackError, programs_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GROUPS = {"sandbox": ("sandbox",), "airflow": AIRFLOW}
PAUSE = 0.2  # seconds between two looks
GRACE = 20.0  # seconds a running task has to finish its request


def manager(stack: Stack) -> Any | None:
    """The remote side of the stack's supervisord (its XML-RPC methods), or None when it isn't running."""
    socket = stack.run / "supervisor.sock"
    remote = ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{socket}")).supervisor
    try:
        remote.getState()
    except OSError:
        return None
    return remote


def launch(stack: Stack) -> Any:
    """Start supervisord, and PostgreSQL with it."""
    stack.logs.mkdir(mode=0o700, exist_ok=True)
    path = _configuration_file(stack)
    path.write_text(_configuration(stack))
    done = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=stack.root,
    )
    if done.returncode:
        raise StackError(f"supervisord did not start: {done.stdout}{done.stderr}")
    wait_until(lambda: manager(stack) is not None, 20, "supervisord")
    return manager(stack)


def sweep(stack: Stack) -> bool:
    """End what a supervisord that was killed left running; whether there was anything."""
    pid_file = stack.root / "supervisord.pid"
    if not pid_file.exists():
        return False
    leader = int(pid_file.read_text())
    # A process number is not given out again while a session is named after it.
    if pid_file.stat().st_mtime < psutil.boot_time() or psutil.pid_exists(leader):
        return False
    ended = _end_orphans(leader)
    pid_file.unlink()
    return ended


def outdated(stack: Stack) -> bool:
    """Whether the running supervisord was started with another configuration than it would be now."""
    return _configuration_file(stack).read_text() != _configuration(stack)


def _configuration_file(stack: Stack) -> Path:
    return stack.root / "supervisord.conf"


def _configuration(stack: Stack) -> str:
    folder = Path(__file__).parent
    servant = postgres.servant()
    text = Template((folder / "supervisord.conf").read_text()).substitute(
        root=stack.root,
        run=stack.run,
        logs=stack.logs,
        data=stack.data,
        socket=stack.run / "supervisor.sock",
        postgres=postgres.binaries() / "postgres",
        as_root="user=root" if servant else "",
        as_servant=f"user={servant}" if servant else "",
    )
    for group, programs in GROUPS.items():
        text += f"\n[group:{group}]\nprograms={','.join(programs)}\n"
        for program in programs:
            text += (
                f"\n[program:{program}]\n"
                f'command="{sys.executable}" "{folder / "run.py"}" "{programs_file(stack.root)}" {program}\n'
                f"stdout_logfile={stack.logs / program}.log\n"
                "redirect_stderr=true\nautostart=false\nstopasgroup=true\nkillasgroup=true\nstopwaitsecs=30\n"
            )
    return text


def running(remote: Any) -> dict[str, str]:
    """State of every program, e.g. ``{"postgres": "RUNNING"}``."""
    return {program["name"]: program["statename"] for program in remote.getAllProcessInfo()}


def start_groups(remote: Any) -> None:
    """Start the sandbox and Airflow without waiting for them."""
    for group in GROUPS:
        remote.startProcessGroup(group, False)


def stop_groups(remote: Any) -> None:
    """Stop the sandbox and Airflow; PostgreSQL stays up."""
    # Tasks end with the scheduler, and report that to the api-server: it has to be there still.
    with suppress(Fault):  # not running
        remote.stopProcess("airflow:scheduler")
    _end_orphans(remote.getPID())
    for group in GROUPS:
        remote.stopProcessGroup(group)


def shut_down(remote: Any) -> None:
    """Stop everything, and see to it that no process is left."""
    leader = remote.getPID()
    stop_groups(remote)
    remote.shutdown()
    supervisord = _members(leader, [leader])
    wait_until(lambda: not any(map(_lives, supervisord)), 90, "the end of supervisord")
    _end_orphans(leader)


def _end_orphans(leader: int) -> bool:
    """
    End what supervisord no longer looks after: a running task is in a process group of its own.

    Everything the stack starts stays in supervisord's session, which is how it is known. Returns whether there was
    anything.
    """
    looked_after = set()
    with suppress(psutil.NoSuchProcess):
        supervisord = psutil.Process(leader)
        looked_after = {leader, *(child.pid for child in supervisord.children(recursive=True))}
    orphans = _members(leader, set(psutil.pids()) - looked_after)
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in orphans:
            with suppress(psutil.NoSuchProcess):
                end(process)
        deadline = time.monotonic() + GRACE
        while any(map(_lives, orphans)) and time.monotonic() < deadline:
            time.sleep(PAUSE)
    if left := [process.pid for process in orphans if _lives(process)]:
        raise StackError(f"These processes would not end: {left}")
    return bool(orphans)


def _members(session: int, pids: Iterable[int]) -> list[psutil.Process]:
    members = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if os.getsid(pid) == session and _lives(process := psutil.Process(pid)):
                members.append(process)
    return members


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; a container's first process may never collect the dead."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def wait_until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until it is so; StackError after so many seconds."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise StackError(f"Waited {seconds:.0f} s in vain for {what}")
        time.sleep(PAUSE)
