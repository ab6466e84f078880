"""The embedded stack after a real run, Debian's Chromium, and a second api-server with logins of several roles."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from conftest import folder_in_memory
from debian import program, serving
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sandbox_server import free_port

from local.airflow_api import AirflowApi, call
from local.settings import LOGIN, Stack, databases, started_with
from local.stack import DAG, address, airflow_api, start, stop

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TIMEOUT = 240.0  # seconds
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"

REFUSED, SCRIPTED, FORMULA = "90000000001", "90000000002", "=1+1"
DIALLED = "10000000007"
WORDS = "<img src=x onerror=\"document.title='taken over'\"> El codAct no es valido 90000000002"


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow after one run of the DAG."""

    stack: Stack
    url: str
    run_id: str

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        with psycopg.connect(self.stack.uri(databases(demo=True)["ledger"])) as ledger:
            return ledger.execute(statement.encode(), parameters).fetchall()

    def api(self) -> AirflowApi:
        """Its REST API."""
        return airflow_api(self.stack)


@pytest.fixture(scope="session")
def airflow() -> Iterator[Airflow]:
    root = folder_in_memory("stack")
    ports = {name: str(free_port()) for name in ("AIRFLOW_PORT", "SANDBOX_PORT")}
    stack = start(root, {"PATH": os.environ["PATH"], **ports}, demo=True)
    try:
        window = _seed(stack)
        faults = {
            REFUSED: [{"kind": "invalid_code", "repeat": True}],
            SCRIPTED: [{"kind": "status", "status": 422, "msg": WORDS, "repeat": True}],
        }
        call(f"{stack.sandbox_url}/control", "PUT", {"latency": 0.0, "faults": faults})
        run_id = _run(airflow_api(stack), *window)
        _tell_worth(stack)
        yield Airflow(stack, address(stack), run_id)
    finally:
        stop(root)


def _seed(stack: Stack) -> tuple[datetime, datetime]:
    """Contacts of two campaigns; one customer's id is a formula, one's comment is a script, one row is invalid."""
    now = datetime.now(timezone.utc)
    begin = now - timedelta(seconds=150)  # as fresh as the contacts of an operation that is well
    rows: list[tuple[str | None, ...]] = [
        ("preview", "15501", str(10_000_000_000 + number), None) for number in range(250)
    ]
    rows += [("predictive", "15502", FORMULA, None), ("predictive", "15502", REFUSED, None)]
    rows += [("predictive", "15502", SCRIPTED, "<script>document.title='taken over'</script>"), ("sms", "1", "5", None)]
    with psycopg.connect(stack.uri(databases(demo=True)["warehouse"])) as warehouse:
        warehouse.cursor().executemany(
            "INSERT INTO contacted_customers (type_campaign, campaign_id, customer_id, cod_act, comment, contacted_at)"
            " VALUES (%s, %s, %s, 'ACT', %s, %s)",
            [(*row, begin + timedelta(seconds=place / 2)) for place, row in enumerate(rows)],
        )
    return begin, now


def _tell_worth(stack: Stack) -> None:
    """What an audit would have found: three dials of customers who had been reached, and figures of two days."""
    with psycopg.connect(stack.uri(databases(demo=True)["ledger"])) as ledger:
        ledger.execute(
            "UPDATE wolkvox.codification SET protected_until = settled_at + interval '3 days' WHERE customer_id = %s",
            (DIALLED,),
        )
        ledger.execute(
            "INSERT INTO wolkvox.dial (codification_id, dialled_at, breach)"
            " SELECT id, told.at, told.breach FROM wolkvox.codification,"
            " LATERAL (VALUES (contacted_at + interval '1 minute', 'late_row'), (settled_at + interval '1 second',"
            " 'vendor')) AS told (at, breach) WHERE customer_id = %s",
            (DIALLED,),
        )
        ledger.cursor().executemany(
            "INSERT INTO wolkvox.impact (operation, day, type_campaign, campaign_id, coded, dialled_after,"
            " dialled_before, calls_prevented, minutes)"
            " SELECT operation, (now() AT TIME ZONE 'America/Bogota')::date - %s, %s, %s, 120, 1, 6, 80.4,"
            " '{1,1,1,1,0,1,1,0,0,0,0,0}' FROM wolkvox.run LIMIT 1",
            [(0, "preview", "15501"), (1, "preview", "15501"), (1, "predictive", "15502")],
        )


def _run(api: AirflowApi, begin: datetime, end: datetime) -> str:
    """Trigger the DAG and wait for its end."""
    conf = {"window_start": begin.isoformat(), "window_end": end.isoformat()}
    run_id = f"manual__{end.isoformat()}"  # with the characters that an address has to quote
    api.send("POST", f"/dags/{DAG}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf})
    deadline = time.monotonic() + TIMEOUT
    while True:
        runs = api.get(f"/dags/{DAG}/dagRuns")["dag_runs"]
        if runs[0]["state"] in ("success", "failed"):
            assert runs[0]["state"] == "success"
            return run_id
        assert time.monotonic() < deadline, runs
        time.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Logins:
    """An api-server on the same metadata whose logins have the roles of ``airflow_logins.ROLES``."""

    url: str
    password: str

    def session(self, login: str) -> requests.Session:
        """A session with the login's token."""
        session = requests.Session()
        session.trust_env = False
        asked = {"username": login, "password": self.password}
        answer = session.post(f"{self.url}/auth/token", json=asked, timeout=30)
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session


@pytest.fixture(scope="session")
def logins(airflow: Airflow) -> Iterator[Logins]:
    port, password = free_port(), secrets.token_urlsafe(16)
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    environment |= started_with(airflow.stack.root) | {
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
    }
    for command in (
        ["airflow", "db", "migrate"],
        [sys.executable, str(Path(__file__).with_name("airflow_logins.py")), password],
    ):
        subprocess.run(command, env=environment, check=True, capture_output=True)
    log = airflow.stack.logs / "fab-api-server.log"
    with serving(["airflow", "api-server"], port, log, TIMEOUT, env=environment) as server:
        _wait_for(f"{url}/api/v2/version", server)
        yield Logins(url, password)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            call(url)
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            return


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        yield browser
        browser.close()


def _chromium() -> str:
    """The distribution's browser."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None) or program("chromium", "chromium")


@pytest.fixture(scope="session")
def logged_in(browser: Browser, airflow: Airflow) -> Any:
    """The cookies of somebody who logged in at the form."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{airflow.url}/")
    page.fill("input[name=username]", LOGIN)
    page.fill("input[name=password]", airflow.stack.secrets.password)
    page.click("button[type=submit]")
    page.get_by_role("link", name="Wolkvox").first.wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(browser: Browser, logged_in: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(storage_state=logged_in, viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of a logged-in browser; nothing in it may fail or be refused by its own policy."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    assert errors == []
