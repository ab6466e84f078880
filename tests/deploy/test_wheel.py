"""The package as a wheel in an Airflow of its own: a provider with its connection type, page, operators and check."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from debian import serving
from fresh_environment import BIN, CONNECTIONS, ROOT, Elsewhere, uv
from jsonschema import validate  # Airflow brings it
from playwright.sync_api import Browser, expect
from sandbox_server import SandboxServer, free_port

from local.airflow_api import call
from wolkvox import __version__
from wolkvox.provider import DISTRIBUTION, FIELDS, get_provider_info
from wolkvox.vendor.settings import read_settings

if TYPE_CHECKING:
    from conftest import Database

pytest_plugins = ("airflow_server", "fresh_environment")

TIMEOUT = 240.0  # seconds
NAMES = re.compile(r"^ *\"?([A-Za-z0-9_.-]+)")


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    airflow = f"apache-airflow=={version('apache-airflow')}"
    return Elsewhere(tmp_path_factory.mktemp("elsewhere"), wheel, airflow, "-c", str(ROOT / "constraints.txt"))


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    metadata = f"{DISTRIBUTION.replace('-', '_')}-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"wolkvox", metadata}
    package = ROOT / "plugins"
    tracked = subprocess.run(["git", "ls-files", "wolkvox"], cwd=package, capture_output=True, text=True, check=True)
    assert {name for name in names if name.startswith("wolkvox/")} == set(tracked.stdout.split())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what the package is built from."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "plugins", tmp_path / "source" / "plugins", ignore=ignored)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "source")
    return tmp_path / "source"


def build(source: Path) -> list[str]:
    """Build as `make wheel` does, and name what the wheel holds."""
    uv("build", "--python", sys.executable, "--out-dir", source / "dist", source)
    (wheel,) = (source / "dist").glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize(
    "gone", ["wolkvox/later.py", "wolkvox/ledger/migrations/versions/0099_gone.py", "wolkvox/page/static/old.js"]
)
def test_what_was_deleted_is_in_no_later_wheel_and_a_build_leaves_nothing(source: Path, gone: str) -> None:
    (source / "plugins" / gone).touch()
    assert gone in build(source)
    (source / "plugins" / gone).unlink()
    assert gone not in build(source)
    assert {path.name for path in source.iterdir()} == {"plugins", "pyproject.toml", "LICENSE", "dist"}
    assert list((source / "plugins").rglob("*.egg-info")) == []


def test_the_sources_build_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    build(source)
    (archive,) = (source / "dist").glob("*.tar.gz")
    uv("build", "--wheel", "--python", sys.executable, "--out-dir", tmp_path, archive)
    (again,) = tmp_path.glob("*.whl")
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()


def test_airflow_finds_the_plugin_once_where_the_sources_are_installed(source: Path, tmp_path: Path) -> None:
    """With the folder of the sources in PYTHONPATH too, as here: Airflow asks every distribution that it sees."""
    uv("venv", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    uv("pip", "install", "--python", python, "--no-deps", "--editable", source)
    ask = "from importlib.metadata import distributions as all; print(*(e.name for d in all() for e in d.entry_points))"
    environment = {**os.environ, "PYTHONPATH": str(source / "plugins")}
    done = subprocess.run([python, "-c", ask], env=environment, cwd=source, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["provider_info", "wolkvox"]


def test_the_page_of_an_index_has_links_that_work_there_and_a_dag_that_works() -> None:
    page = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    assert [link for link in re.findall(r"\]\(([^)]+)\)", page) if not link.startswith("https://")] == []
    assert "```mermaid" not in page
    (dag,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert dag == (ROOT / "example_dags" / "wolkvox_from_a_query.py").read_text(encoding="utf-8")


def test_the_metadata_is_what_airflow_asks_for() -> None:
    import airflow

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    information = get_provider_info()
    validate(information, schema)
    assert information["package-name"] == DISTRIBUTION
    (kind,) = information["connection-types"]
    assert set(kind) == {"connection-type", "hook-class-name", "hook-name", "conn-fields", "ui-field-behaviour"}
    assert set(kind["ui-field-behaviour"]) == {"hidden-fields", "relabeling", "placeholders"}
    for field in kind["conn-fields"].values():
        assert set(field) == {"label", "description", "schema"}
        assert "null" in field["schema"]["type"]


def test_what_the_form_leaves_empty_or_at_its_default_is_a_good_connection() -> None:
    class Filled:
        conn_id, host, password, schema, port = "wolkvox_default", "https://wv0041.wolkvox.com", "token", None, None
        extra_dejson: dict[str, Any]

    for fill in (lambda field: None, lambda field: field["schema"].get("default")):
        connection: Any = Filled()
        connection.extra_dejson = {name: fill(field) for name, field in FIELDS.items()}
        settings = read_settings(connection)
        assert (settings.operation, settings.call_timeout, settings.preflight) == ("0041", 65.0, True)
    assert set(FIELDS) == {
        *("wolkvox_server", "licenses", "quota_reserve", "quota_timezone", "call_timeout", "preflight"),
        *("export_preflight", "export_from", "skip_handled", "export_date", "export_result", "export_timezone"),
    }


def test_its_dependencies_are_those_the_project_pins() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text.partition("dependencies = [\n")[2].partition("]\n")[0]
    asked = {NAMES.match(line)[1].lower() for line in block.splitlines()}  # type: ignore[index]
    pinned = {
        NAMES.match(line)[1].lower()  # type: ignore[index]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert pinned - asked == {  # of this deployment, not the package
        *("apache-airflow-providers-celery", "celery"),
        *("apache-airflow-providers-fab", "psycopg2-binary"),
    }
    assert asked <= pinned


@pytest.mark.slow
def test_it_is_a_provider_of_a_stock_airflow_and_agrees_with_all_that_is_installed(elsewhere: Elsewhere) -> None:
    providers = json.loads(elsewhere.run("airflow", "providers", "list", "-o", "json").stdout)
    assert [one["version"] for one in providers if one["package_name"] == DISTRIBUTION] == [__version__]
    hooks = json.loads(elsewhere.run("airflow", "providers", "hooks", "-o", "json").stdout)
    (hook,) = [one for one in hooks if one["connection_type"] == "wolkvox"]
    assert hook["class"] == "wolkvox.hook.WolkvoxHook"
    plugins = json.loads(elsewhere.run("airflow", "plugins", "-o", "json").stdout)
    assert [one["name"] for one in plugins if "wolkvox" in one["name"]] == ["wolkvox"]
    elsewhere.run(BIN / "uv", "pip", "check", "--python", elsewhere.bin / "python")


@pytest.mark.slow
def test_the_examples_are_dags(elsewhere: Elsewhere) -> None:
    elsewhere.run("airflow", "dags", "reserialize")
    said = elsewhere.run("airflow", "dags", "list", "-o", "json").stdout.splitlines()
    found = json.loads(next(line for line in said if line.startswith("[{")))
    assert {dag["dag_id"] for dag in found} == {path.stem for path in (ROOT / "example_dags").glob("*.py")}


@pytest.mark.slow
def test_a_dag_of_a_few_lines_codes_what_a_query_or_another_task_gives(
    elsewhere: Elsewhere, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT 'preview', '17', 'customer-' || n, '5', NULL, NULL,"
        " now() - interval '1 minute' FROM generate_series(1, 20) AS n"
    )
    elsewhere.environment |= {name: os.environ[name] for name in CONNECTIONS}
    elsewhere.run("airflow", "pools", "set", "wolkvox", "2", "requests at a time")
    elsewhere.run("python", "-m", "wolkvox", "migrate")
    said = elsewhere.run("airflow", "dags", "test", "wolkvox_from_a_query")
    assert "state=success" in said.stdout + said.stderr
    assert ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY 1") == [("coded", 20)]
    elsewhere.run("airflow", "dags", "test", "wolkvox_from_records")
    told = "SELECT channel, direct, reason FROM wolkvox.codification WHERE customer_id = '1001'"
    assert [row[:2] for row in ledger.rows(told)] == [("whatsapp", True)]


@pytest.mark.slow
def test_the_form_asks_for_what_it_needs_and_its_test_button_tells(
    elsewhere: Elsewhere, browser: Browser, sandbox: SandboxServer
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**elsewhere.environment, "AIRFLOW__API__BASE_URL": url, "AIRFLOW__API__PORT": str(port)}
    command = [str(elsewhere.bin / "airflow"), "api-server"]
    with serving(command, port, elsewhere.folder / "api-server.log", TIMEOUT, env=environment, cwd=elsewhere.folder):
        login = call(f"{url}/auth/token")["access_token"]
        page = browser.new_page()
        page.goto(f"{url}/connections")
        page.get_by_role("button", name="Add Connection").click()
        form = page.get_by_role("dialog")
        form.get_by_role("combobox").first.click()
        page.keyboard.type("wolkvox")
        page.get_by_role("option", name="wolkvox").click()
        for name in ("Address", "Token"):
            expect(form.get_by_text(name, exact=True).first).to_be_visible()
        for hidden in ("Login", "Schema"):
            expect(form.get_by_text(hidden, exact=True)).to_have_count(0)
        form.get_by_role("button", name="Extra Fields", exact=True).click()  # which folds the others away
        for field in FIELDS.values():
            expect(form.get_by_text(field["label"], exact=True).first).to_be_visible()
        page.close()
        for token, good in ((sandbox.token, True), ("wrong", False)):
            body = {
                "connection_id": "tried",
                "conn_type": "wolkvox",
                "host": json.loads(sandbox.connection())["host"],
                "password": token,
                "extra": '{"wolkvox_server": "0041"}',
            }
            answer = call(f"{url}/api/v2/connections/test", "POST", body, login)
            assert answer["status"] is good
            assert ("requests left today" if good else "refused the token") in answer["message"]
            assert token not in answer["message"]


@pytest.mark.slow
def test_lineage_tells_where_contacts_come_from_and_go_and_nothing_of_anybody(
    elsewhere: Elsewhere, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    uv("pip", "install", "--python", elsewhere.bin / "python", "apache-airflow-providers-openlineage")
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT 'preview', '17', (573001112230 + n)::text, '5', NULL, 'by-chat',"
        " now() - interval '1 minute' FROM generate_series(1, 20) AS n"
    )
    events = elsewhere.folder / "events.json"
    transport = {"type": "file", "log_file_path": str(events), "append": True}
    elsewhere.environment |= {name: os.environ[name] for name in CONNECTIONS} | {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
    }
    elsewhere.run("airflow", "pools", "set", "wolkvox", "2", "requests at a time")
    elsewhere.run("python", "-m", "wolkvox", "migrate")
    elsewhere.run("airflow", "dags", "test", "wolkvox_from_a_query")
    told = [json.loads(line) for line in events.read_text().splitlines()]
    done = {event["job"]["name"].rpartition(".")[2]: event for event in told if event["eventType"] == "COMPLETE"}
    stage, codify = done["stage"], done["codify"]
    (source,), (staged,) = stage["inputs"], stage["outputs"]
    assert source["name"].endswith("contacted_customers")
    assert staged["name"].endswith("wolkvox.codification")
    assert {one["namespace"].partition(":")[0] for one in (source, staged)} == {"postgres"}
    assert staged["outputFacets"]["outputStatistics"]["rowCount"] == 20
    (dialler,) = codify["outputs"]
    assert codify["inputs"][0]["name"] == staged["name"]
    assert (dialler["namespace"], dialler["name"]) == (f"wolkvox://{sandbox.url.partition('://')[2]}", "0041")
    coded = [event["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] for event in told if _ended(event)]
    assert sum(coded) == 20
    for personal in ("57300111223", "by-chat", sandbox.token):
        assert personal not in events.read_text()


def _ended(event: dict[str, Any]) -> bool:
    """Whether it is the end of a chunk."""
    return event["eventType"] == "COMPLETE" and str(event["job"]["name"]).endswith(".codify")
