"""The wheel in other releases of Airflow, each with the packages of its days."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Database
from debian import serving
from fresh_environment import CONNECTIONS, Elsewhere
from sandbox_server import SandboxServer, free_port

from local.airflow_api import call

pytest_plugins = ("fresh_environment",)

pytestmark = pytest.mark.slow

# By release, the day whose packages it is tried with.
RELEASES = {"3.2.2": "2026-06-05", "3.3.0": "2026-07-20"}
# And what has to be newer: 3.2.2's own constraints pin 6.7, whose hook lets nobody else open the connection.
POSTGRES = "apache-airflow-providers-postgres"
NEWER = {"3.2.2": (f"{POSTGRES}==6.8.0", f"--exclude-newer-package={POSTGRES}=2026-07-20")}
TIMEOUT = 240.0  # seconds


@pytest.fixture(scope="module", params=RELEASES)
def elsewhere(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    release = str(request.param)
    folder = tmp_path_factory.mktemp(f"airflow-{release}")
    then = ("--exclude-newer", RELEASES[release], *NEWER.get(release, ()))
    return Elsewhere(folder, wheel, f"apache-airflow=={release}", *then)


@pytest.fixture
def connected(elsewhere: Elsewhere, ledger: Database, warehouse: Database, sandbox: SandboxServer) -> Elsewhere:
    elsewhere.environment |= {name: os.environ[name] for name in CONNECTIONS}
    elsewhere.run("python", "-m", "wolkvox", "migrate")
    elsewhere.run("python", "-m", "wolkvox", "pools")
    return elsewhere


def test_a_run_codes_and_the_check_is_content(connected: Elsewhere, ledger: Database, warehouse: Database) -> None:
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT 'preview', '17', 'customer-' || n, '5', NULL, NULL,"
        " now() - interval '1 minute' FROM generate_series(1, 20) AS n"
    )
    said = connected.run("airflow", "dags", "test", "wolkvox_from_a_query")
    assert "state=success" in said.stdout + said.stderr
    assert ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY 1") == [("coded", 20)]
    checked = connected.run("python", "-m", "wolkvox", "check").stdout
    assert "FAIL" not in checked
    assert checked.count("ok  ") == 9 * 3


def test_it_knows_the_connection_type(connected: Elsewhere) -> None:
    hooks = json.loads(connected.run("airflow", "providers", "hooks", "-o", "json").stdout)
    assert [hook["class"] for hook in hooks if hook["connection_type"] == "wolkvox"] == ["wolkvox.hook.WolkvoxHook"]


def test_the_page_shows_its_figures(connected: Elsewhere) -> None:
    connected.run("airflow", "dags", "reserialize")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**connected.environment, "AIRFLOW__API__BASE_URL": url, "AIRFLOW__API__PORT": str(port)}
    command = [str(connected.bin / "airflow"), "api-server"]
    with serving(command, port, connected.folder / "api-server.log", TIMEOUT, env=environment, cwd=connected.folder):
        login = call(f"{url}/auth/token")["access_token"]
        assert call(f"{url}/wolkvox/overview", token=login)["operation"] == "0041"
