"""The example dbt project makes the table that the DAG reads, and its tests catch what would cost requests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fresh_environment import uv
from sqlalchemy import create_engine
from warehouses import by_engine

from wolkvox.rules.contacts import COLUMNS, OPTIONAL, read_contact
from wolkvox.rules.window import Window
from wolkvox.warehouse.queries import contacted_customers

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "example_dbt"
QUERY = f"SELECT {', '.join((*COLUMNS, *OPTIONAL))} FROM contacted_customers" + (
    " WHERE contacted_at >= :window_start AND contacted_at < :window_end"
)
NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
BOGOTA = "America/Bogota"


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt in an environment of its own: it and Airflow ask for other versions of the same packages."""
    folder = tmp_path_factory.mktemp("dbt") / "venv"
    uv("venv", "--python", sys.executable, folder)
    same = f"duckdb=={version('duckdb')}"  # an older one here could not read a newer one's file
    uv("pip", "install", "--python", folder / "bin" / "python", "-r", EXAMPLE / "requirements.txt", same)
    return folder / "bin" / "dbt"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "dbt", ignore=shutil.ignore_patterns("target", "logs")))


def build(dbt: Path, project: Path) -> subprocess.CompletedProcess[str]:
    """``dbt build``: seeds, model and tests."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_DUCKDB": str(project / "warehouse.duckdb"),
    }
    command = [str(dbt), "--no-use-colors", "build", "--profiles-dir", "."]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_its_contacts_are_read_and_can_all_be_sent(dbt: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = build(dbt, project)
    assert done.returncode == 0, done.stdout
    assert "PASS=12 WARN=0 ERROR=0 SKIP=0" in done.stdout
    by_engine(monkeypatch, create_engine(f"duckdb:///{project / 'warehouse.duckdb'}"))
    rows = contacted_customers("warehouse", QUERY, Window(NOON, NOON + timedelta(days=1)), BOGOTA)
    contacts = [read_contact(row, operation="0041", zone=ZoneInfo(BOGOTA)) for row in rows]
    assert sorted((one.customer_id, one.cod_act, one.channel, one.direct, one.reason) for one in contacts) == [
        ("573001112233", "CALLED", "call", True, None),
        ("573001112233", "WHATSAPP", "whatsapp", True, None),
        ("573001112255", "WHATSAPP", "whatsapp", True, None),
        ("573005554433", "VISIT", "branch", True, None),
        ("573009998866", "PAID", "call", True, None),
    ]
    assert min(one.contacted_at for one in contacts if one.contacted_at) == NOON + timedelta(hours=2, minutes=5)


@pytest.mark.parametrize(
    ("seed", "line", "test"),
    [
        ("manual_calls", "c-4,573009998866,15502,2026-03-02 15:14:00+00,paid", "a_contact_is_there_once"),
        ("manual_calls", "c-4,,15502,2026-03-02 15:15:00+00,paid", "not_null_contacted_customers_customer_id"),
        ("branch_visits", "b-2,573005554444,2999-03-02 16:00:00+00", "no_contact_is_of_the_future"),
    ],
)
def test_what_would_cost_calls_makes_it_red(dbt: Path, project: Path, seed: str, line: str, test: str) -> None:
    with (project / "seeds" / f"{seed}.csv").open("a") as file:
        file.write(f"{line}\n")
    done = build(dbt, project)
    assert done.returncode == 1
    assert f"Failure in test {test}" in done.stdout


def test_every_column_that_the_dag_reads_is_documented() -> None:
    from ruamel.yaml import YAML

    (model,) = YAML(typ="safe").load(EXAMPLE / "models" / "contacted_customers.yml")["models"]
    assert [column["name"] for column in model["columns"]] == [*COLUMNS, *OPTIONAL]
    assert all(column["description"] for column in model["columns"])
