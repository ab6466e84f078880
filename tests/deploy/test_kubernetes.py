"""The values for Airflow's Helm chart, held against what the chart, Airflow and this project know."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airflow.configuration import conf
from composed import ROOT
from conftest import Database
from debian import home, program, serving
from ruamel.yaml import YAML
from sandbox_server import free_port

from wolkvox import __version__
from wolkvox.vendor.settings import CALL_TIMEOUT

KUBERNETES = ROOT / "include" / "kubernetes"
VALUES: dict[str, Any] = YAML(typ="safe").load(KUBERNETES / "values.yaml")
PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
# Keys of chart 1.22.0's own values.yaml. Its schema lets a misspelled key through, and the chart then ignores it: a key
# that is new here has to be looked up there.
CHART = {
    *("airflowVersion", "defaultAirflowRepository", "defaultAirflowTag", "executor", "env", "config"),
    *("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName", "networkPolicies.enabled"),
    *("data.metadataSecretName", "data.brokerUrlSecretName", "data.resultBackendSecretName"),
    *("redis.passwordSecretName", "redis.resources"),
    *("postgresql.enabled", "pgbouncer.enabled", "pgbouncer.replicas", "pgbouncer.configSecretName"),
    *("pgbouncer.podDisruptionBudget.enabled", "pgbouncer.resources", "pgbouncer.metricsExporterSidecar.resources"),
    "pgbouncer.metricsExporterSidecar.statsSecretName",
    "pgbouncer.metricsExporterSidecar.statsSecretKey",
    *("migrateDatabaseJob.args", "migrateDatabaseJob.env", "migrateDatabaseJob.resources"),
    *("migrateDatabaseJob.useHelmHooks", "migrateDatabaseJob.ttlSecondsAfterFinished", "createUserJob.enabled"),
    *("workers.celery.replicas", "workers.celery.terminationGracePeriodSeconds", "workers.celery.safeToEvict"),
    *("workers.celery.env", "workers.celery.extraInitContainers", "workers.celery.persistence.enabled"),
    *("workers.celery.logGroomerSidecar.enabled", "workers.celery.resources"),
    *("workers.kubernetes.terminationGracePeriodSeconds", "workers.kubernetes.safeToEvict", "workers.kubernetes.env"),
    *("workers.kubernetes.resources", "scheduler.replicas", "scheduler.podDisruptionBudget.enabled"),
    *("scheduler.extraInitContainers", "scheduler.logGroomerSidecar.resources"),
    *("scheduler.logGroomerSidecar.retentionDays", "scheduler.startupProbe.failureThreshold", "scheduler.resources"),
    *("apiServer.replicas", "apiServer.args", "apiServer.env", "apiServer.podDisruptionBudget.enabled"),
    *("apiServer.networkPolicy.ingress.from", "apiServer.extraInitContainers"),
    *("apiServer.startupProbe.failureThreshold", "apiServer.resources", "dagProcessor.env", "dagProcessor.resources"),
    *("dagProcessor.logGroomerSidecar.enabled", "dagProcessor.extraInitContainers"),
    *("triggerer.env", "triggerer.logGroomerSidecar.enabled", "triggerer.resources", "triggerer.extraInitContainers"),
    *("triggerer.persistence.enabled", "statsd.resources", "ingress.apiServer.enabled", "ingress.apiServer.hosts"),
    *("logs.persistence.enabled", "logs.persistence.size", "databaseCleanup.enabled", "databaseCleanup.schedule"),
    *("databaseCleanup.retentionDays", "databaseCleanup.skipArchive", "databaseCleanup.resources"),
}
CELERY, PODS = VALUES["workers"]["celery"], VALUES["workers"]["kubernetes"]
# What each component holds of the secret `wolkvox-codify`, beside the keys that the chart itself hands out.
TASKS = {"wolkvox", "warehouse", "ledger-writer"}
HELD = {
    "migration": (VALUES["migrateDatabaseJob"]["env"], {"ledger-owner"}),
    "celery workers": (CELERY["env"], TASKS),
    "pods of tasks": (PODS["env"], TASKS),
    "scheduler": (VALUES["scheduler"].get("env", []), set()),
    "dag processor": (VALUES["dagProcessor"]["env"], TASKS),
    "triggerer": (VALUES["triggerer"]["env"], TASKS),
    "api server": (VALUES["apiServer"]["env"], {"wolkvox", "ledger-reader"}),
}


def keys(node: Any, path: str = "") -> Iterator[str]:
    """The dotted path of everything that is set, down to what the chart passes on as it is."""
    if path in CHART or not isinstance(node, dict):
        yield path
        return
    for name, value in node.items():
        yield from keys(value, f"{path}.{name}" if path else name)


def test_the_chart_knows_every_value() -> None:
    assert set(keys(VALUES)) == CHART


def test_airflow_knows_every_setting() -> None:
    options = {(section, name) for section, options in VALUES["config"].items() for name in options}
    kubernetes = {("kubernetes_executor", "worker_pods_creation_batch_size")}  # a provider's that isn't installed here
    assert kubernetes <= options
    for section, name in options - kubernetes:
        assert name in conf.configuration_description[section]["options"]


def test_the_versions_are_those_of_the_image() -> None:
    image = (ROOT / "Dockerfile").read_text()
    assert f"FROM apache/airflow:{VALUES['airflowVersion']}\n" in image
    assert VALUES["defaultAirflowTag"] == __version__


@pytest.mark.parametrize("workers", [CELERY, PODS], ids=["celery", "pods"])
def test_a_worker_has_longer_to_end_than_a_request_may_take(workers: dict[str, Any]) -> None:
    assert workers["terminationGracePeriodSeconds"] >= CALL_TIMEOUT + 20


@pytest.mark.parametrize("component", HELD)
def test_a_component_holds_the_secrets_that_it_uses_and_no_others(component: str) -> None:
    variables, keys = HELD[component]
    held = [one["valueFrom"]["secretKeyRef"] for one in variables if "valueFrom" in one]
    assert {one["name"] for one in held} <= {"wolkvox-codify"}
    assert {one["key"] for one in held} == keys
    assert "secret" not in VALUES, "which every component would get"


def test_no_variable_is_given_twice_to_a_container() -> None:
    """Kubernetes refuses that, and only when it is installed."""
    everywhere = {one["name"] for one in VALUES["env"]}
    for variables, _ in HELD.values():
        names = [one["name"] for one in variables]
        assert len(set(names)) == len(names)
        assert everywhere.isdisjoint(names)


@pytest.mark.parametrize("component", ["scheduler", "apiServer", "dagProcessor", "triggerer", "celery"])
def test_new_code_waits_until_the_ledger_is_the_one_that_it_needs(component: str) -> None:
    (waits,) = (CELERY if component == "celery" else VALUES[component])["extraInitContainers"]
    assert waits["args"][:5] == ["python", "-m", "wolkvox", "migrate", "--wait"]
    assert waits["image"] == '{{ template "airflow_image" . }}'
    (ledger, _) = waits["env"]
    assert ledger["valueFrom"]["secretKeyRef"] == {"name": "wolkvox-codify", "key": "ledger-reader"}


def test_the_migration_waits_for_no_pod_that_waits_for_it() -> None:
    """As a hook it would begin when the pods are ready, with `--wait`."""
    assert VALUES["migrateDatabaseJob"]["useHelmHooks"] is False


def test_the_api_server_can_be_reached_by_tasks_and_the_ingress_where_policies_are_on() -> None:
    assert VALUES["networkPolicies"]["enabled"]
    tasks, ingress = VALUES["apiServer"]["networkPolicy"]["ingress"]["from"]
    assert tasks == {"podSelector": {"matchLabels": {"tier": "airflow"}}}
    assert set(ingress) == {"namespaceSelector"}


def test_every_container_of_ours_says_what_it_needs() -> None:
    components = ("migrateDatabaseJob", "scheduler", "apiServer", "dagProcessor", "triggerer", "pgbouncer", "redis")
    containers = [VALUES[name] for name in (*components, "statsd", "databaseCleanup")]
    containers += [CELERY, PODS, *CELERY["extraInitContainers"], VALUES["pgbouncer"]["metricsExporterSidecar"]]
    for container in containers:
        assert set(container["resources"]) == {"requests", "limits"}
        assert {"cpu", "memory"} == set(container["resources"]["requests"])


def test_a_drained_node_takes_no_more_than_one_of_what_all_others_need() -> None:
    for component in ("scheduler", "apiServer", "pgbouncer"):
        assert (VALUES[component]["replicas"], VALUES[component]["podDisruptionBudget"]) == (2, {"enabled": True})


def test_the_page_makes_each_secret_that_the_values_name() -> None:
    made = dict(re.findall(r"create secret generic (wolkvox-[a-z-]+) (.*?[^\\])\n", PAGE, re.DOTALL))
    keys = {name: set(re.findall(r"--from-(?:literal|file)=([a-z.-]+)=?", rest)) for name, rest in made.items()}
    assert keys == {
        "wolkvox-codify": {"fernet-key", "api-secret-key", "jwt-secret"}.union(*(held for _, held in HELD.values())),
        VALUES["data"]["metadataSecretName"]: {"connection", "pgbouncer.ini", "users.txt", "stats"},
        VALUES["data"]["brokerUrlSecretName"]: {"connection", "password"},
    }


@pytest.fixture
def pgbouncer(postgres_socket: Path) -> Iterator[int]:
    """PgBouncer by the project's file, its example's address and TLS replaced by what is here; the port."""
    binary, port = program("pgbouncer", "pgbouncer"), free_port()
    (path,) = postgres_socket.glob(".s.PGSQL.[0-9]*[0-9]")
    owner = postgres_socket.owner()
    user = ["-u", "nobody" if owner == "root" else owner] if os.geteuid() == 0 else []  # it refuses to be root's
    server = f"host={path.parent} port={path.suffix[1:]} dbname=postgres"
    with home() as folder:
        (folder / "users.txt").write_text('"airflow" "p\'4ss"\n')
        ini = (KUBERNETES / "pgbouncer.ini").read_text()
        for example, here in {
            "host=postgres.example.com port=5432 dbname=airflow": server,
            "listen_addr = *": "listen_addr = 127.0.0.1",
            "6543": str(port),
            "/etc/pgbouncer": str(folder),
            "server_tls_sslmode = require": "server_tls_sslmode = disable\nunix_socket_dir =",
        }.items():
            assert example in ini
            ini = ini.replace(example, here)
        (folder / "pgbouncer.ini").write_text(ini)
        with serving([binary, *user, str(folder / "pgbouncer.ini")], port, folder / "log"):
            yield port


def test_the_metadata_and_the_exporters_figures_are_reached_through_pgbouncer(
    pgbouncer: int, postgres_socket: Path
) -> None:
    admin = Database(postgres_socket, "postgres")
    admin.execute("DROP ROLE IF EXISTS airflow")
    admin.execute("CREATE ROLE airflow LOGIN")
    given = dict(re.findall(r'--from-literal=(connection|stats)="(postgresql://airflow:[^"]+)"', PAGE))
    for name, statement in (("connection", "SELECT current_user"), ("stats", "SHOW VERSION")):
        address = re.sub("@[^/]+/", f"@127.0.0.1:{pgbouncer}/", given[name]).replace("$METADATA_PASSWORD", "p'4ss")
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as connection:
            connection.pgconn.exec_(statement.encode())
            result = connection.pgconn.exec_(statement.encode())
            assert (result.get_value(0, 0) or b"").split()[0] in (b"airflow", b"PgBouncer")
    admin.execute("DROP ROLE airflow")


def test_what_is_given_as_an_example_is_what_the_page_says_to_change() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in KUBERNETES.iterdir())
    examples = set(re.findall(r"[a-z]+\.example\.com|ingress-nginx", written))
    (steps,) = re.findall(r"\n## Install\n(.*?)\n## ", PAGE, re.DOTALL)
    assert examples <= set(re.findall(r"[a-z]+\.example\.com|ingress-nginx", steps))
