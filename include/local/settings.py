"""Where the embedded stack keeps things, and the environment its programs run in. Standard library only."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT = Path(__file__).resolve().parents[2]
STATE = PROJECT / ".local"
BIN = Path(sys.executable).parent  # of the virtual environment that runs this

LOOPBACK = "127.0.0.1"
LONGEST_SOCKET = 107  # bytes of a Unix socket's path that every kernel takes
UNQUOTABLE = set("\"'%;,$\\\n")  # each means something to the configuration files a path is written into
PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")

OPERATION = "0041"
LICENSES = 20
LOGIN = "admin"
DEFAULTS = "WOLKVOX_LOCAL_DEFAULTS"  # which of the exported values are not the caller's own
LOG_PORT = "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"
MODE = "WOLKVOX_LOCAL_MODE"


class StackError(Exception):
    """The stack can't do what was asked; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Random, made once for each state folder."""

    fernet: str
    session: str
    jwt: str
    sandbox_token: str
    password: str


@dataclass(frozen=True, slots=True)
class Stack:
    """
    One embedded stack.

    :param root: folder of all its state
    :param run: folder of its sockets
    """

    root: Path
    run: Path
    airflow_port: int
    sandbox_port: int
    secrets: Secrets

    @property
    def data(self) -> Path:
        """PostgreSQL's data."""
        return self.root / "postgres"

    @property
    def logs(self) -> Path:
        """One log for each program."""
        return self.root / "logs"

    @property
    def home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox listens."""
        return f"http://{LOOPBACK}:{self.sandbox_port}"

    def uri(self, database: str) -> str:
        """The address of a database, for libpq and for Airflow alike."""
        return f"postgresql://postgres@{quote(str(self.run), safe='')}/{database}"


def open_stack(root: Path, caller: Mapping[str, str]) -> Stack:
    """
    The stack kept in ``root``, made on first use.

    :param caller: AIRFLOW_PORT and SANDBOX_PORT choose its ports; else they are those of the last start
    """
    root = root.absolute()
    if UNQUOTABLE & set(str(root) + str(BIN)):
        raise StackError(f"{root} has one of {' '.join(sorted(UNQUOTABLE - set(chr(10))))} in it: use another folder")
    root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    kept = _read(root / "ports.json")
    ports = {
        name: _port(name, caller.get(name) or kept.get(name) or usual)
        for name, usual in (("AIRFLOW_PORT", "8080"), ("SANDBOX_PORT", "8090"))
    }
    return Stack(root, _socket_folder(root), ports["AIRFLOW_PORT"], ports["SANDBOX_PORT"], _secrets(root))


def remember_ports(stack: Stack) -> None:
    """Make the stack's ports the ones it has when nobody names any."""
    write_private(stack.root / "ports.json", {"AIRFLOW_PORT": stack.airflow_port, "SANDBOX_PORT": stack.sandbox_port})


def _port(name: str, value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise StackError(f"{name} must be a port number, not {text!r}")
    return int(text)


def _socket_folder(root: Path) -> Path:
    """Inside ``root``, or under /tmp when the sockets' paths would be too long there."""
    if len(os.fsencode(root / "run" / "supervisor.sock.4194304")) <= LONGEST_SOCKET:
        return root / "run"
    return Path("/tmp") / f"wolkvox-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"  # noqa: S108 - made 0700


def _secrets(root: Path) -> Secrets:
    path = root / "secrets.json"
    if not path.exists():
        made = {name: secrets.token_urlsafe(48) for name in ("session", "jwt", "sandbox_token")}
        made["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made["password"] = secrets.token_urlsafe(12)
        write_private(path, made)
    return Secrets(**_read(path))


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    content: dict[str, str] = json.loads(path.read_text())
    return content


def write_private(path: Path, content: object) -> None:
    """Write JSON that only the owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    draft.replace(path)


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Keep two commands from changing the same stack at once."""
    with (root / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def programs_file(root: Path) -> Path:
    """The environment that the stack's programs were started with."""
    return root / "environment.json"


def started_with(root: Path) -> dict[str, str]:
    """What ``programs_file`` holds; empty before the first start."""
    return _read(programs_file(root))


def runs_demo(root: Path) -> bool:
    """Whether the stack was last started for the demo."""
    return started_with(root).get(MODE) == "demo"


def databases(*, demo: bool) -> dict[str, str]:
    """Databases by what they are for. A demo has its own: no real connection ever meets its contacts."""
    prefix = "demo_" if demo else ""
    return {use: f"{prefix}{use}" for use in ("airflow", "warehouse", "ledger")}


def defaults(stack: Stack, *, demo: bool) -> dict[str, str]:
    """Airflow's settings and connections when the caller names none."""
    names = databases(demo=demo)
    sandbox = {
        "conn_type": "wolkvox",
        "host": stack.sandbox_url,
        "password": stack.secrets.sandbox_token,
        "extra": {"wolkvox_server": OPERATION, "licenses": LICENSES},
    }
    metadata = f"postgresql+psycopg2://postgres@/{names['airflow']}?host={quote(str(stack.run))}"
    return {
        "AIRFLOW_HOME": str(stack.home),
        "AIRFLOW_CONN_WOLKVOX_DEFAULT": json.dumps(sandbox),
        "AIRFLOW_CONN_WAREHOUSE": stack.uri(names["warehouse"]),
        "AIRFLOW_CONN_WOLKVOX_LEDGER": stack.uri(names["ledger"]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(not demo),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(not demo),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__FERNET_KEY": stack.secrets.fernet,
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(stack.home / "passwords.json"),
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "local.settings.hostname",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(stack.airflow_port),
        "AIRFLOW__API__SECRET_KEY": stack.secrets.session,
        "AIRFLOW__API_AUTH__JWT_SECRET": stack.secrets.jwt,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__WOLKVOX__WHOLE_CUSTOMER_IDS": str(demo),  # the demo's customers are nobody
    }


def airflow_url(settings: Mapping[str, str]) -> str:
    """Where this machine finds the api-server that has these settings: a base URL may have a path."""
    path = urlsplit(settings.get("AIRFLOW__API__BASE_URL", "")).path.rstrip("/")
    return f"http://{LOOPBACK}:{settings['AIRFLOW__API__PORT']}{path}"


def hostname() -> str:
    """The name by which Airflow reaches this machine: its programs reach each other on the loopback address only."""
    return LOOPBACK


def asked_for(caller: Mapping[str, str]) -> dict[str, str]:
    """The caller's own ``AIRFLOW_…`` variables: not the port, and no default that `make env` gave him."""
    given = set(caller.get(DEFAULTS, "").split())
    return {
        name: value
        for name, value in caller.items()
        if name.startswith("AIRFLOW_") and name != "AIRFLOW_PORT" and _stamp(name, value) not in given
    }


def _stamp(name: str, value: str) -> str:
    return f"{name}={hashlib.sha256(value.encode(errors='surrogateescape')).hexdigest()[:12]}"


def environment(stack: Stack, caller: Mapping[str, str], *, demo: bool) -> dict[str, str]:
    """
    What an Airflow command needs to work on the stack.

    The caller's own variables win, except in a demo: that one talks to its sandbox and its databases only.
    """
    mine = defaults(stack, demo=demo)
    asked = {} if demo else asked_for(caller)
    url = airflow_url(mine | asked)  # follows from what the caller asked for
    mine |= {"AIRFLOW__API__BASE_URL": url, "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/"}
    values = mine | asked
    kept = sorted(_stamp(name, value) for name, value in mine.items() if values[name] == value)
    return values | {
        DEFAULTS: " ".join(kept),
        "PATH": _first([str(BIN)], caller.get("PATH", os.defpath)),
        "PYTHONPATH": _first([str(PROJECT / "plugins"), str(PROJECT / "include")], caller.get("PYTHONPATH", "")),
    }


def _first(folders: list[str], path: str) -> str:
    """``path`` with these folders in front, each once."""
    return os.pathsep.join([*folders, *(part for part in path.split(os.pathsep) if part and part not in folders)])


def programs_environment(stack: Stack, caller: Mapping[str, str], *, demo: bool) -> dict[str, str]:
    """What the stack's programs get on top: the sandbox's settings, and the way out to the internet."""
    values = environment(stack, caller, demo=demo)
    values |= {n: v for n, v in caller.items() if n in PASSED_ON or n.lower().endswith("_proxy")}
    for name in ("NO_PROXY", "no_proxy"):
        values[name] = ",".join(filter(None, (caller.get(name), LOOPBACK, "localhost")))
    return values | {
        MODE: "demo" if demo else "everyday",
        "SANDBOX_TOKEN": stack.secrets.sandbox_token,
        "SANDBOX_LICENSES": str(LICENSES),
        "SANDBOX_PORT": str(stack.sandbox_port),
    }


def same_programs(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two environments make the programs do the same; the caller's PATH is no part of that."""
    ignored = {"PATH", "PYTHONPATH", DEFAULTS, LOG_PORT}
    return {n: v for n, v in one.items() if n not in ignored} == {n: v for n, v in other.items() if n not in ignored}
