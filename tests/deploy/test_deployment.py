"""docker-compose.yaml, Dockerfile and .env.example, proven without a container engine."""

import re
import stat
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from composed import (
    BIN,
    LONG_RUNNING,
    RAW,
    REQUIRED,
    ROOT,
    VARIABLE,
    Deployment,
    MissingVariable,
    deployed,
    files_of_image,
    interpolate,
    state_of,
    wait_until,
)
from dotenv import dotenv_values

from wolkvox import __version__


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Every service, with three contacts in the warehouse."""
    with deployed(tmp_path_factory.mktemp("deployment"), 3) as stack:
        yield stack


@pytest.fixture(scope="module")
def admin(deployment: Deployment) -> requests.Session:
    """A session of the first admin."""
    return deployment.admin()


def documented() -> set[str]:
    """Names of all variables in .env.example, those that are commented out included."""
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


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


def test_the_secrets_can_be_made_at_once(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    (command,) = re.findall(r"^#   (sed .+)$", example, re.MULTILINE)
    (tmp_path / ".env").write_text(example)
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, check=True)
    made = {name: value for name, value in dotenv_values(tmp_path / ".env", interpolate=False).items() if value}
    assert set(made) == {name for name in REQUIRED if re.search("PASSWORD|SECRET", name)}
    assert len(set(made.values())) == len(made)


def test_every_variable_is_documented_in_the_example() -> None:
    used = {found["name"] for found in VARIABLE.finditer((ROOT / "docker-compose.yaml").read_text()) if found["name"]}
    assert documented() == used


def test_no_secret_is_written_in_the_file() -> None:
    sensitive = re.compile("PASSWORD|SECRET|KEY|TOKEN|_CONN|_AUTH$|BROKER|BACKEND")
    written = {
        value
        for service in interpolate(RAW, dict.fromkeys(REQUIRED, "?"))["services"].values()
        for name, value in service.get("environment", {}).items()
        if sensitive.search(name)
    }
    assert written == {
        "?",
        "",  # SANDBOX_TOKEN, which the sandbox itself refuses to be without
        "sqlite://",  # of the worker, which has no login
        "postgresql+psycopg2://airflow:?@postgres:5432/airflow",
        "redis://:?@redis:6379/0",
        "redis://:?@redis:6379/1",
        "postgresql://wolkvox_owner:?@postgres:5432/ledger",
        "postgresql://wolkvox_writer:?@postgres:5432/ledger",
        "postgresql://wolkvox_reader:?@postgres:5432/ledger",
    }


METADATA = {"METADATA_PASSWORD", "AIRFLOW__CORE__FERNET_KEY"}
CONNECTIONS = {"AIRFLOW_CONN_WOLKVOX_DEFAULT", "AIRFLOW_CONN_WAREHOUSE", "LEDGER_WRITER_PASSWORD"}
SECRETS = {
    "postgres": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "init": {*METADATA, "LEDGER_OWNER_PASSWORD", "ADMIN_PASSWORD"},
    "api-server": {
        *METADATA,
        *("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"),
        *("AIRFLOW_CONN_WOLKVOX_DEFAULT", "LEDGER_READER_PASSWORD"),
    },
    "scheduler": {*METADATA, *CONNECTIONS, "REDIS_PASSWORD", "AIRFLOW__API_AUTH__JWT_SECRET"},
    "worker": {*CONNECTIONS, "REDIS_PASSWORD"},
    "dag-processor": {*METADATA, *CONNECTIONS},
    "triggerer": {*METADATA, *CONNECTIONS},
    "cleaning": METADATA,
    "cli": {*METADATA, *CONNECTIONS},
    "backup": {"LEDGER_OWNER_PASSWORD"},
    "sandbox": {"SANDBOX_TOKEN"},
}


@pytest.mark.parametrize("service", RAW["services"])
def test_a_service_holds_the_secrets_that_it_uses_and_no_others(service: str) -> None:
    environment = " ".join(map(str, RAW["services"][service].get("environment", {}).values()))
    named = {found["name"] for found in VARIABLE.finditer(environment)}
    assert named & {*REQUIRED, "SANDBOX_TOKEN"} - {"BASE_URL"} == SECRETS[service]


def test_all_of_ours_run_one_image_that_is_built_once_and_named_by_the_version() -> None:
    services = interpolate(RAW, dict.fromkeys(REQUIRED, "x"))["services"]
    assert [name for name, service in services.items() if "build" in service] == ["init"]
    others = {"postgres": "postgres:18", "backup": "postgres:18", "redis": "redis:7.2-bookworm"}
    assert {name: service["image"] for name, service in services.items()} == {
        name: others.get(name, f"wolkvox-codify:{__version__}") for name in services
    }
    assert interpolate(RAW["services"]["init"]["image"], {"VERSION": "0.0.9"}) == "wolkvox-codify:0.0.9"


@pytest.mark.parametrize("service", RAW["services"])
def test_a_service_has_no_more_rights_than_it_needs(service: str) -> None:
    definition = RAW["services"][service]
    assert definition["cap_drop"] == ["ALL"]
    assert definition["security_opt"] == ["no-new-privileges:true"]
    assert definition["pids_limit"] <= 1024
    as_root = service in ("postgres", "redis")
    assert ("cap_add" in definition) == as_root
    assert (definition.get("read_only"), definition.get("tmpfs")) == ((None, None) if as_root else (True, ["/tmp"]))


def test_only_what_needs_them_reaches_the_databases_and_they_reach_nobody() -> None:
    networks = {name: service.get("networks") for name, service in RAW["services"].items()}
    assert RAW["networks"]["data"] == {"internal": True}
    assert {name: of for name, of in networks.items() if of != ["default", "data"]} == {
        "postgres": ["data"],
        "redis": ["data"],
        "backup": ["data"],
        "sandbox": ["default"],
    }


def test_no_health_check_starts_airflow() -> None:
    checks = {name: service["healthcheck"]["test"] for name, service in RAW["services"].items() if _stays_up(service)}
    assert {*LONG_RUNNING, "cleaning", "backup", "sandbox", "postgres", "redis"} == set(checks)
    assert [name for name, check in checks.items() if {"airflow", "python"} & set(check) or "--app" in check[-1]] == []


def _stays_up(service: dict[str, Any]) -> bool:
    return bool(service["restart"] == "unless-stopped")


def test_nothing_is_reachable_from_the_network_unless_asked_for() -> None:
    services = interpolate(RAW, dict.fromkeys(REQUIRED, "x"))["services"]
    assert {port for service in services.values() for port in service.get("ports", [])} == {
        "127.0.0.1:8080:8080",
        "127.0.0.1:8090:8090",
    }


def test_no_service_can_take_all_of_the_hosts_memory() -> None:
    assert [name for name, service in RAW["services"].items() if "mem_limit" not in service] == []


def test_the_databases_are_shared_out_as_the_security_page_says() -> None:
    (page,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "security.md").read_text(), re.DOTALL)
    said = [" ".join(statement.split()) for statement in re.sub(r"--.*", "", page).split(";") if statement.strip()]
    done = " ".join(RAW["configs"]["databases"]["content"].split())
    assert [statement for statement in said if statement not in done] == []


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


@pytest.mark.slow
def test_every_service_turns_healthy(deployment: Deployment, admin: requests.Session) -> None:
    health = admin.get(f"{deployment.api}/api/v2/monitor/health", timeout=30).json()
    assert {part: state["status"] for part, state in health.items()} == {
        "metadatabase": "healthy",
        "scheduler": "healthy",
        "triggerer": "healthy",
        "dag_processor": "healthy",
    }
    assert all(process.poll() is None for name, process in deployment.processes.items() if name != "init")


@pytest.mark.slow
def test_only_the_admin_of_the_settings_gets_in(deployment: Deployment, admin: requests.Session) -> None:
    assert requests.get(f"{deployment.api}/api/v2/pools", timeout=30).status_code == 401
    wrong = {"username": "admin", "password": "admin"}
    assert requests.post(f"{deployment.api}/auth/token", json=wrong, timeout=30).status_code == 401
    users = admin.get(f"{deployment.api}/auth/fab/v1/users", timeout=30).json()["users"]
    assert [(user["username"], user["roles"]) for user in users] == [("admin", [{"name": "Admin"}])]


@pytest.mark.slow
def test_a_second_init_leaves_what_is_there(deployment: Deployment) -> None:
    assert "admin already exists in the db" in deployment.log("init").read_text()


@pytest.mark.slow
def test_the_pool_has_two_slots(deployment: Deployment, admin: requests.Session) -> None:
    assert admin.get(f"{deployment.api}/api/v2/pools/wolkvox", timeout=30).json()["slots"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("scheduler", "DROP TABLE wolkvox.codification"),
        ("worker", "ALTER TABLE wolkvox.codification DROP COLUMN comment"),
        ("api-server", "INSERT INTO wolkvox.campaign_sync VALUES ('0041', now())"),
    ],
)
def test_no_service_can_do_more_to_the_ledger_than_it_has_to(
    deployment: Deployment, service: str, statement: str
) -> None:
    with psycopg.connect(deployment.environment(service)["AIRFLOW_CONN_WOLKVOX_LEDGER"]) as ledger:
        assert ledger.execute("SELECT count(*) FROM wolkvox.campaign").fetchone() is not None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ledger.execute(statement.encode())


@pytest.mark.slow
def test_no_login_of_the_ledger_gets_at_airflows_metadata(deployment: Deployment) -> None:
    ledger = deployment.environment("worker")["AIRFLOW_CONN_WOLKVOX_LEDGER"]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(ledger.replace("/ledger", "/airflow"))


@pytest.mark.slow
def test_the_page_is_read_with_a_login_that_only_reads(deployment: Deployment, admin: requests.Session) -> None:
    page = admin.get(f"{deployment.api}/wolkvox/overview", timeout=30)
    assert page.status_code == 200, page.text


@pytest.mark.slow
def test_the_dag_files_import(deployment: Deployment, admin: requests.Session) -> None:
    assert admin.get(f"{deployment.api}/api/v2/importErrors", timeout=30).json()["import_errors"] == []


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_tasks_log_is_read_from_the_volume(deployment: Deployment, admin: requests.Session) -> None:
    dag = f"{deployment.api}/api/v2/dags/wolkvox_codify"
    (run, *_) = admin.get(f"{dag}/dagRuns?state=success&order_by=start_date", timeout=30).json()["dag_runs"]
    address = f"{dag}/dagRuns/{run['dag_run_id']}/taskInstances/verdict/logs/1"
    log = admin.get(address, headers={"Accept": "application/json"}, timeout=30).json()["content"]
    (volume, *_) = [line["event"] for line in log if "attempt=1.log" in line["event"]]
    assert volume.startswith(str(deployment.home / "logs"))
    assert any(line["event"].startswith("The run: ") for line in log), log


@pytest.mark.slow
def test_the_first_cleaning_is_at_once_and_its_health_says_how_it_went(deployment: Deployment) -> None:
    deployment.start("cleaning")
    deployment.wait_until_healthy("cleaning")
    assert "Checking table job" in deployment.log("cleaning").read_text()


@pytest.mark.slow
def test_a_backup_brings_the_ledger_back(deployment: Deployment) -> None:
    owner = psycopg.connect(deployment.environment("init")["AIRFLOW_CONN_WOLKVOX_LEDGER"], autocommit=True)
    coded = "SELECT count(*) FROM wolkvox.codification WHERE state = 'coded'"
    deployment.start("backup")
    deployment.wait_until_healthy("backup")
    (dump,) = (deployment.home.parent / "backups").glob("ledger-*.dump")
    owner.execute("TRUNCATE wolkvox.codification CASCADE")
    owner.execute("CREATE TABLE wolkvox.of_a_later_version (id int)")
    pages = [(ROOT / "docs" / name).read_text() for name in ("operating.md", "operating.es.md")]
    commands, again = (re.findall(r"^docker compose exec postgres (.+)$", page, re.MULTILINE) for page in pages)
    assert commands == again
    superuser = deployment.environment("postgres")
    superuser["PGPASSWORD"] = superuser["POSTGRES_PASSWORD"]
    for command in commands:
        command = re.sub(r"/backups/\S+", str(dump), command)
        subprocess.run(["bash", "-c", command], env=superuser, check=True, capture_output=True)
    assert owner.execute(coded).fetchone() == (3,)
    assert owner.execute("SELECT to_regclass('wolkvox.of_a_later_version')").fetchone() == (None,)
    with psycopg.connect(deployment.environment("api-server")["AIRFLOW_CONN_WOLKVOX_LEDGER"]) as reader:
        assert reader.execute(coded).fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("DELETE FROM wolkvox.codification")
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600


@pytest.mark.slow
def test_nothing_is_written_but_to_a_tmp_of_its_own_and_the_logs(deployment: Deployment) -> None:
    """So a container can do without a disk that it can write to."""
    assert files_of_image(deployment.home) == deployment.image
