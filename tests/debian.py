"""
Other people's servers, as Debian packs them, started on a port of their own.

Those that are missing are installed only where somebody says so: ``INSTALL_TEST_SERVERS=1``, as root.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from memory import in_memory

PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
TIMEOUT = 30.0  # seconds a server may take to start
LOCK = Path(tempfile.gettempdir()) / "wolkvox-tests-apt.lock"
INSTALL = "INSTALL_TEST_SERVERS"
NEEDS = "needs "  # how the reason of a skipped test begins
APT = ("apt-get", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")


def program(name: str, *packages: str) -> str:
    """
    The path of a program, of whose packages the first one gives it.

    Skips the test where it is missing and may not be installed.
    """
    found = installed(name, *packages)
    if found is None:
        pytest.skip(f"{NEEDS}{name}: apt-get install {' '.join(packages)}")
    return found


def installed(name: str, *packages: str) -> str | None:
    """Likewise; None where it is missing and may not be installed."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two of the suite's processes at a time confuse apt
        if shutil.which(name, path=PATH) is None and may_install():
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # starts no service
            for command in (["apt-get", "update"], [*APT, "install", *packages]):
                subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)
    return shutil.which(name, path=PATH)


def may_install() -> bool:
    """Whether somebody said that Debian's packages are to be installed, and they can be."""
    return os.environ.get(INSTALL) == "1" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def left_out(reasons: Sequence[str]) -> list[str]:
    """What to say of the tests that were skipped for want of a server; nothing where none was."""
    wanting = [reason.removeprefix("Skipped: ") for reason in reasons]
    wanting = [reason for reason in wanting if reason.startswith(NEEDS)]
    if not wanting:
        return []
    programs = sorted({reason.removeprefix(NEEDS).partition(":")[0] for reason in wanting})
    return [
        f"{len(wanting)} tests were left out for want of {', '.join(programs)}.",
        f"`{INSTALL}=1 make test`, as root on Debian, installs what they need with apt-get.",
    ]


@contextmanager
def home() -> Iterator[Path]:
    """A folder that a server which has put off root's rights can read and write."""
    path = Path(tempfile.mkdtemp(prefix="wolkvox-server-", dir=in_memory()))
    path.chmod(0o777)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def serving(
    command: Sequence[str], port: int, log: Path, retry_policy: float = TIMEOUT, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the foreground, in a process group of its own, from the moment it listens."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        deadline = time.monotonic() + retry_policy
        while not listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


def listens(port: int) -> bool:
    """Whether somebody answers on a port of this machine."""
    with socket.socket() as examine:
        return examine.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def debian_postgres() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL of Debian's own, with nothing in it yet."""
    program("pg_ctlcluster", "postgresql")  # which brings the newest one that this Debian has
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    user = {"user": "postgres"} if os.geteuid() == 0 else {}  # it refuses to be root's
    with home() as folder:
        data, run = folder / "data", partial(subprocess.run, check=True, capture_output=True, cwd=folder, **user)
        run(
            [
                str(binaries / "initdb"),
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "-U",
                "postgres",
                str(data),
            ]
        )
        options = f"-c listen_addresses='' -k {folder}"
        control = [str(binaries / "pg_ctl"), "-w", "-D", str(data)]
        run([*control, "-o", options, "-l", str(folder / "log"), "start"])
        try:
            yield folder
        finally:
            run([*control, "-m", "immediate", "stop"])
