"""The values for Airflow's Helm chart, held against what the chart, Airflow and this project know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.configuration import conf
from composed import ROOT
from ruamel.yaml import YAML

from wolkvox import __version__
from wolkvox.vendor.settings import CALL_TIMEOUT

VALUES: dict[str, Any] = YAML(typ="safe").load(ROOT / "include" / "kubernetes" / "values.yaml")
PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
# Keys of chart 1.22.0's own values.yaml. Its schema lets a misspelled key through, and the chart then ignores it: a key
# that is new here has to be looked up there.
CHART = {
    *("airflowVersion", "defaultAirflowRepository", "defaultAirflowTag", "executor", "env", "secret", "config"),
    *("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName"),
    *("data.metadataConnection.host", "data.metadataConnection.user", "data.metadataConnection.db"),
    *("postgresql.enabled", "pgbouncer.enabled", "pgbouncer.sslmode", "pgbouncer.podDisruptionBudget.enabled"),
    *("pgbouncer.resources", "migrateDatabaseJob.args", "migrateDatabaseJob.env", "createUserJob.enabled"),
    *("workers.kubernetes.terminationGracePeriodSeconds", "workers.kubernetes.safeToEvict", "workers.kubernetes.env"),
    *("workers.kubernetes.resources", "scheduler.replicas", "scheduler.podDisruptionBudget.enabled"),
    *("scheduler.logGroomerSidecar.retentionDays", "scheduler.startupProbe.failureThreshold", "scheduler.resources"),
    *("apiServer.replicas", "apiServer.args", "apiServer.env", "apiServer.podDisruptionBudget.enabled"),
    *("apiServer.startupProbe.failureThreshold", "apiServer.resources", "dagProcessor.env", "dagProcessor.resources"),
    *("dagProcessor.logGroomerSidecar.enabled", "triggerer.logGroomerSidecar.enabled", "triggerer.resources"),
    "triggerer.env",
    *("statsd.resources", "ingress.apiServer.enabled", "ingress.apiServer.hosts"),
    *("logs.persistence.enabled", "logs.persistence.size", "databaseCleanup.enabled", "databaseCleanup.schedule"),
    *("databaseCleanup.retentionDays", "databaseCleanup.skipArchive", "cleanup.enabled"),
}
WITH_A_LEDGER = {
    "ledger-owner": VALUES["migrateDatabaseJob"]["env"],
    "ledger-writer": VALUES["workers"]["kubernetes"]["env"],
    "ledger-reader": VALUES["apiServer"]["env"],
}
WRITERS = ("dagProcessor", "triggerer")


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


def test_a_pod_has_longer_to_end_than_a_call_may_take() -> None:
    assert VALUES["workers"]["kubernetes"]["terminationGracePeriodSeconds"] >= CALL_TIMEOUT + 20


@pytest.mark.parametrize("login", WITH_A_LEDGER)
def test_each_component_has_the_ledgers_login_that_it_needs_and_no_other(login: str) -> None:
    ledger = [one["valueFrom"]["secretKeyRef"] for one in WITH_A_LEDGER[login] if one["name"].endswith("LEDGER")]
    assert ledger == [{"name": "wolkvox-codify", "key": login}]


def test_what_writes_into_the_ledger_beside_tasks_has_their_login() -> None:
    assert [VALUES[component]["env"] for component in WRITERS] == [WITH_A_LEDGER["ledger-writer"]] * 2


def test_no_variable_is_given_twice_to_a_container() -> None:
    """Kubernetes refuses that, and only when it is installed."""
    everywhere = {one["name"] for one in VALUES["env"]} | {one["envName"] for one in VALUES["secret"]}
    for own in (*WITH_A_LEDGER.values(), *(VALUES[component]["env"] for component in WRITERS)):
        names = [one["name"] for one in own]
        assert len(set(names)) == len(names)
        assert everywhere.isdisjoint(names)


def test_the_page_makes_each_secret_that_the_values_name() -> None:
    made = set(re.findall(r"--from-literal=([a-z-]+)=", PAGE))
    given = {one["secretKey"] for one in VALUES["secret"]} | set(WITH_A_LEDGER)
    assert made == given | {"fernet-key", "api-secret-key", "jwt-secret"}


def test_what_is_given_as_an_example_is_what_the_page_says_to_change() -> None:
    written = (ROOT / "include" / "kubernetes" / "values.yaml").read_text(encoding="utf-8")
    examples = set(re.findall(r"[a-z]+\.example\.com", written))
    yours = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert yours
    assert examples == set(re.findall(r"[a-z]+\.example\.com", yours[1]))
