"""Several operations under one scheduler: nothing of theirs mixes, and a dead one holds up no other."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import folder_in_memory
from mailbox_server import Mailbox
from sandbox_server import SandboxServer, free_port

from local.airflow_api import AirflowApi, call
from local.settings import LOGIN, Stack
from local.stack import address, airflow_api, start, stop

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TIMEOUT = 240.0  # seconds
# north and east share a token, as two business units of one wolkvox operation do.
OPERATIONS = """
north:
  sql: sql/north.sql
  alert_to: [north@example.com]
east:
  sql: sql/east.sql
  alert_to: [east@example.com]
south:
  sql: sql/south.sql
  timezone: America/Santiago
  protection: protection/chile.yaml
  alert_to: [south@example.com]
west:
  scheduel: "*/5 * * * *"
"""
QUERY = """
SELECT * FROM contacted_customers
WHERE campaign_id = '{campaign}' AND contacted_at >= :window_start AND contacted_at < :window_end
"""
CAMPAIGNS = {"north": "100", "east": "300", "south": "200"}
RECORDS = {"north": 300, "east": 150, "south": 200}
SEED = """
INSERT INTO contacted_customers (type_campaign, campaign_id, customer_id, cod_act, comment, contacted_at)
SELECT 'predictive', %s, (%s + n)::text, 'ACT', NULL, now() - interval '1 hour' FROM generate_series(1, %s) AS n
"""


class Metrics:
    """What Airflow sends of ours: sums by name and operation."""

    def __init__(self) -> None:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.counted: Counter[tuple[str, str]] = Counter()
        self.gauges: dict[tuple[str, str], float] = {}
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        while True:
            for line in self.socket.recv(65_535).decode().splitlines():
                head, _, value = line.partition(":")
                name, *tags = head.split(",")
                operation = dict(tag.split("=") for tag in tags).get("operation", "")
                number, kind = value.split("|")[:2]
                if name.startswith("airflow.wolkvox."):
                    key = name.removeprefix("airflow.wolkvox."), operation
                    if kind == "c":
                        self.counted[key] += int(float(number))
                    elif kind == "g":
                        self.gauges[key] = float(number)


@dataclass(frozen=True, slots=True)
class Several:
    """A running Airflow with three operations, and whom they talk to."""

    stack: Stack
    api: AirflowApi
    northern: SandboxServer  # of north and east
    southern: SandboxServer
    metrics: Metrics
    mailbox: Mailbox

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        with psycopg.connect(self.stack.uri("ledger")) as ledger:
            return ledger.execute(statement.encode(), parameters).fetchall()

    def seed(self, operation: str, first: int, records: int) -> None:
        """New contacts of an operation's campaign."""
        with psycopg.connect(self.stack.uri("warehouse")) as warehouse:
            warehouse.execute(SEED, (CAMPAIGNS[operation], first, records))

    def settled(self) -> dict[tuple[str, str], int]:
        """Records by operation and state."""
        found = self.rows("SELECT operation, state, count(*) FROM wolkvox.codification GROUP BY 1, 2")
        return {(operation, state): records for operation, state, records in found}

    def run(self, operation: str, run_id: str) -> dict[str, Any]:
        """Trigger a run, wait for its end, and give what Airflow says of it."""
        dag = f"wolkvox_codify_{operation}"
        self.api.send("POST", f"/dags/{dag}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": {}})
        wait_for(lambda: self.api.get(f"/dags/{dag}/dagRuns/{run_id}")["state"] in ("success", "failed"))
        return dict(self.api.get(f"/dags/{dag}/dagRuns/{run_id}"))

    def seconds(self, operation: str, run_id: str, first: int, records: int) -> float:
        """How long new contacts take from the moment they are staged to the moment the last one is coded."""
        self.seed(operation, first, records)
        self.run(operation, run_id)
        found = self.rows(
            "SELECT count(*), extract(epoch FROM max(settled_at) - min(staged_at))::float FROM wolkvox.codification"
            " WHERE operation = %s AND state = 'coded' AND customer_id::bigint > %s",
            operation,
            first,
        )
        assert found[0][0] == records
        return float(found[0][1])

    def overview(self, operation: str) -> dict[str, Any]:
        """The page's first screen."""
        token = call(
            f"{address(self.stack)}/auth/token", "POST", {"username": LOGIN, "password": self.stack.secrets.password}
        )
        url = f"{address(self.stack)}/wolkvox/overview?operation={operation}"
        return dict(call(url, token=token["access_token"]))


def wait_for(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.fixture(scope="module")
def several() -> Iterator[Several]:
    root = folder_in_memory("operations")
    shutil.copytree(ROOT / "dags", root / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "include" / "sql").mkdir(parents=True)
    shutil.copytree(ROOT / "include" / "protection", root / "include" / "protection")
    (root / "include" / "operations.yaml").write_text(OPERATIONS)
    for name, campaign in CAMPAIGNS.items():
        (root / "include" / "sql" / f"{name}.sql").write_text(QUERY.format(campaign=campaign))
    metrics = Metrics()
    with SandboxServer(latency=0.02) as northern, SandboxServer(latency=0.02) as southern, Mailbox() as mailbox:
        stack = start(
            root / "state",
            {
                "PATH": os.environ["PATH"],
                "AIRFLOW_PORT": str(free_port()),
                "SANDBOX_PORT": str(free_port()),
                "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
                "AIRFLOW__METRICS__STATSD_ON": "True",
                "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
                "AIRFLOW__METRICS__STATSD_PORT": str(metrics.port),
                "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
                "AIRFLOW_CONN_SMTP_DEFAULT": mailbox.connection(),
                "AIRFLOW_CONN_WOLKVOX_NORTH": northern.connection(licenses=20, wolkvox_server="0041"),
                "AIRFLOW_CONN_WOLKVOX_EAST": northern.connection(licenses=20, wolkvox_server="0043"),
                "AIRFLOW_CONN_WOLKVOX_SOUTH": southern.connection(licenses=5, wolkvox_server="0042", call_timeout=4),
            },
        )
        try:
            yield Several(stack, airflow_api(stack), northern, southern, metrics, mailbox)
        finally:
            stop(root / "state")


@pytest.fixture(scope="module")
def sent(several: Several) -> Several:
    """All three ran at once, on one schedule."""
    for place, (operation, records) in enumerate(RECORDS.items()):
        several.seed(operation, 10_000 * (place + 1), records)
    for operation in RECORDS:
        several.api.send("PATCH", f"/dags/wolkvox_codify_{operation}", {"is_paused": False})
    wait_for(lambda: several.settled() == {(operation, "coded"): records for operation, records in RECORDS.items()})
    wait_for(lambda: coded_by_ended_runs(several) == RECORDS)
    return several


def ended_runs(several: Several) -> list[tuple[Any, ...]]:
    return several.rows(
        "SELECT operation, dag_id, state, (counts->>'coded')::int FROM wolkvox.run"
        " WHERE ended_at IS NOT NULL AND (counts->>'coded')::int > 0 ORDER BY 1"
    )


def coded_by_ended_runs(several: Several) -> dict[str, int]:
    """Records by operation, whichever of its runs took them."""
    coded: Counter[str] = Counter()
    for operation, *_, records in ended_runs(several):
        coded[operation] += records
    return dict(coded)


def test_each_operation_codes_its_own_contacts_once(sent: Several) -> None:
    found = sent.rows("SELECT operation, campaign_id, count(*) FROM wolkvox.codification GROUP BY 1, 2 ORDER BY 1")
    assert found == [("east", "300", 150), ("north", "100", 300), ("south", "200", 200)]
    north, south = sent.northern.stats(), sent.southern.stats()
    assert (north["coded"], south["coded"]) == (450, 200)
    assert set(north["calls_per_record"].values()) == set(south["calls_per_record"].values()) == {1}


def test_rules_protect_the_customers_of_their_operation_alone(sent: Several) -> None:
    found = sent.rows("SELECT operation, count(protected_until) FROM wolkvox.codification GROUP BY 1 ORDER BY 1")
    assert found == [("east", 0), ("north", 0), ("south", 200)]


def test_two_that_share_a_token_never_have_more_than_two_requests_in_flight(sent: Several) -> None:
    assert sent.northern.stats()["peak_in_flight"] <= 2
    assert sent.southern.stats()["peak_in_flight"] <= 2


def test_each_run_adds_up_its_own_records(sent: Several) -> None:
    for operation, dag, state, _ in ended_runs(sent):
        assert (dag, state) == (f"wolkvox_codify_{operation}", "success")
    assert coded_by_ended_runs(sent) == RECORDS


def test_two_that_share_a_token_share_its_calls(sent: Several) -> None:
    """Counted under the server of the one that came first, and as many as the vendor saw."""
    requests = dict(sent.rows("SELECT account, requests FROM wolkvox.quota"))
    shared = requests.keys() & {"0041", "0043"}
    assert len(shared) == 1
    assert requests == {shared.pop(): sent.northern.stats()["quota_used"], "0042": sent.southern.stats()["quota_used"]}


def test_metrics_carry_the_operation(sent: Several) -> None:
    wait_for(lambda: {name for name, _ in sent.metrics.gauges} >= {"backlog", "quota_left"})
    assert {operation: sent.metrics.counted["coded", operation] for operation in RECORDS} == RECORDS
    assert {operation for _, operation in (*sent.metrics.counted, *sent.metrics.gauges)} == set(RECORDS)
    south = 5_000 - sent.southern.stats()["quota_used"]
    assert sent.metrics.gauges["quota_left", "south"] == south


def test_the_page_shows_each_operation_by_itself(sent: Several) -> None:
    for operation, records in RECORDS.items():
        shown = sent.overview(operation)
        assert (shown["operation"], shown["today"]["coded"]) == (operation, records)
        assert shown["operations"] == sorted(RECORDS)
        assert [row["campaign_id"] for row in shown["campaigns"]] == [CAMPAIGNS[operation]]
        assert {run["dag"] for run in shown["runs"]} == {f"wolkvox_codify_{operation}"}
    # Both see the requests of the token they share.
    north, east = (sent.overview(operation)["today"]["requests"] for operation in ("north", "east"))
    assert north == east == sent.northern.stats()["quota_used"]


def test_nobody_was_written_to(sent: Several) -> None:
    assert sent.mailbox.mails == []


def test_pools_were_made_of_the_file(sent: Several) -> None:
    slots = {pool["name"]: pool["slots"] for pool in sent.api.get("/pools")["pools"]}
    assert {name: slots.get(f"wolkvox_{name}") for name in RECORDS} == dict.fromkeys(RECORDS, 2)


def test_a_wrong_entry_is_told_in_airflow_and_its_own_run_says_why(sent: Several) -> None:
    errors = sent.api.get("/importErrors")["import_errors"]
    assert [Path(error["filename"]).name for error in errors] == ["wolkvox_operations.py"]
    assert "line 14, west.scheduel: there is no such key: did you mean schedule?" in errors[0]["stack_trace"]
    sent.api.send("PATCH", "/dags/wolkvox_codify_west", {"is_paused": False})
    assert sent.run("west", "manual__west")["state"] == "failed"
    tasks = sent.api.get("/dags/wolkvox_codify_west/dagRuns/manual__west/taskInstances")["task_instances"]
    assert {task["task_id"]: task["state"] for task in tasks}["stage"] == "failed"


@pytest.mark.timeout(600)
def test_a_dead_operation_holds_up_no_other_and_only_its_own_people_are_told(sent: Several) -> None:
    alone = sent.seconds("north", "manual__alone", 50_000, 200)
    sent.southern.control(latency=30.0)  # it accepts, and never answers in time
    sent.seed("south", 60_000, 100)
    wait_for(lambda: ("south", "sending") in sent.settled())
    beside = sent.seconds("north", "manual__beside", 70_000, 200)
    assert sent.settled()["south", "pending"] >= 90
    print(f"north alone {alone:.1f} s, beside a dead south {beside:.1f} s")
    assert beside < alone * 1.5 + 3.0
    # It answers again, and fails: what was left unanswered may be in flight for a minute yet.
    sent.southern.control(latency=0.0, default_fault=[{"kind": "status", "status": 503, "repeat": True}])
    wait_for(lambda: bool(sent.mailbox.mails))
    told = {(to, mail.splitlines()[0].split()[0]) for recipients, mail in sent.mailbox.mails for to in recipients}
    assert told <= {("south@example.com", "wolkvox_codify_south"), ("airflow@example.com", "wolkvox_codify_west")}
    wait_for(lambda: any(to == ["south@example.com"] for to, _ in sent.mailbox.mails))
