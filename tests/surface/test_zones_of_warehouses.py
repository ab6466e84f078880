"""Timestamps of the warehouse that are on another clock than the operation's: told, and settable apart."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from conftest import Database
from contact_rows import INSERT, row
from crew import SQL, ZONE, states, task, verdict
from sandbox_server import SandboxServer

from wolkvox.cli.check.contacts import check_warehouse
from wolkvox.errors import BadSetting
from wolkvox.hook import WolkvoxHook
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.options import read_options
from wolkvox.rules.window import Window
from wolkvox.tasks.stage import Source, stage_run
from wolkvox.warehouse.queries import contacted_customers, future_contact


def plain(warehouse: Database) -> None:
    warehouse.execute("ALTER TABLE contacted_customers ALTER contacted_at TYPE timestamp")


def contact(warehouse: Database, written_in: str, ago: timedelta = timedelta(minutes=1)) -> None:
    """A contact whose plain timestamp is on some zone's clock."""
    moment = datetime.now(timezone.utc) - ago
    warehouse.execute(INSERT, *row(contacted_at=None, customer_id=str(moment.timestamp())))
    warehouse.execute("UPDATE contacted_customers SET contacted_at = timezone(%s, %s)", written_in, moment)


def stage(run: str = "run", zone: str = ZONE, **params: Any) -> dict[str, Any]:
    """Do what the task ``stage`` does, with a window that ends now, as that of a run does."""
    now = datetime.now(timezone.utc)
    window = Window(now - timedelta(days=1), now)
    source = Source(
        contacted_customers("warehouse", SQL, window, zone),
        zone,
        timedelta(days=31),
        3_600.0,
        future_contact=lambda now: future_contact("warehouse", SQL, now, zone),
    )
    with WolkvoxHook() as wolkvox:
        return stage_run(task(run), wolkvox, source, window, read_options(params, zone), 1_000)[1]


def checked(zone: str = ZONE, warehouse_timezone: str | None = None) -> str:
    with DAG("d", schedule=None):
        operator = WolkvoxStageOperator(task_id="stage", sql=SQL, timezone=zone, warehouse_timezone=warehouse_timezone)
    return check_warehouse(operator)


EASTERN = [
    ("UTC", ZONE),
    ("Europe/Madrid", ZONE),
    ("America/Bogota", "America/Mexico_City"),
    ("UTC", "Pacific/Honolulu"),
]


@pytest.mark.parametrize(("written_in", "read_in"), EASTERN)
def test_check_names_a_zone_too_far_west_and_what_to_set(
    ledger: Database, warehouse: Database, written_in: str, read_in: str
) -> None:
    plain(warehouse)
    contact(warehouse, written_in)
    with pytest.raises(BadSetting, match=rf"not on the clock of {read_in}.*Set warehouse_timezone"):
        checked(read_in)
    assert checked(read_in, written_in) == "the query runs; its first row can be sent"


@pytest.mark.parametrize(("written_in", "read_in"), EASTERN)
def test_a_run_tells_of_contacts_of_after_now_although_its_window_hides_them(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, written_in: str, read_in: str
) -> None:
    plain(warehouse)
    contact(warehouse, written_in)
    counts = stage(zone=read_in)
    assert (counts["pulled"], counts["beyond_window"]) == (0, 0), "what is seen without asking"
    summary, _ = verdict("run", counts, [])
    assert re.search(rf"not on the clock of {read_in}.*Set warehouse_timezone", summary["news"]["firing"]["zone"])


def test_the_alert_fires_on_while_the_mistake_lasts_and_nobody_asks_more_than_once_an_hour_without_it(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    plain(warehouse)
    assert stage("first")["future_contact"] is None
    contact(warehouse, "UTC")
    assert stage("second")["future_contact"] is None, "asked in this hour already"
    ledger.execute("UPDATE wolkvox.watch SET stage_began_at = stage_began_at - interval '1 hour'")
    counts = stage("third")
    assert counts["future_contact"] is not None
    verdict("third", counts, [])
    assert stage("fourth")["future_contact"] is not None, "the alert fires: each run asks"
    warehouse.execute("DELETE FROM contacted_customers")
    assert stage("fifth")["future_contact"] is None


def test_a_run_of_one_customer_and_a_dry_run_ask_nothing(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    plain(warehouse)
    contact(warehouse, "UTC")
    assert stage(customer_id="1001")["future_contact"] is None
    assert stage(dry_run=True)["future_contact"] is None


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(hours=20)])
def test_a_clock_that_is_ahead_and_an_appointment_of_tomorrow_are_no_zones_mistake(
    ledger: Database, warehouse: Database, ahead: timedelta
) -> None:
    contact(warehouse, "UTC", -ahead)
    assert checked() == "the query runs; no contact in the last 24 hours"


def test_a_warehouse_that_refuses_the_question_stops_no_run(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime.now(timezone.utc)
    source = Source(
        [row(contacted_at=now)],
        ZONE,
        timedelta(days=31),
        3_600.0,
        future_contact=partial(future_contact, "warehouse", "SELECT * FROM nowhere", zone=ZONE),
    )
    with WolkvoxHook() as wolkvox:
        window = Window(now - timedelta(days=1), now)
        stage_run(task("run"), wolkvox, source, window, read_options({}, ZONE), 1_000)
    assert "was not asked for contacts of after now" in caplog.text
    assert states(ledger) == {"pending": 1}


def checked_with(bound: str) -> str:
    """What check says of a query whose bounds reach the database as something else."""
    statement = re.sub(r":(window_\w+)", lambda name: bound.format(f"CAST(:{name[1]} AS timestamptz)"), SQL)
    with DAG("d", schedule=None):
        return check_warehouse(WolkvoxStageOperator(task_id="stage", sql=statement))


@pytest.mark.parametrize("hours", [-5, -3, 2])
def test_check_tells_when_a_driver_drops_the_zone_of_the_bounds(
    ledger: Database, warehouse: Database, hours: int
) -> None:
    """As pymssql does of a DATETIMEOFFSET column: 07:00 in Bogota is compared as 07:00 UTC."""
    contact(warehouse, "UTC", timedelta(hours=6))
    with pytest.raises(BadSetting, match="the driver drops the zone of window_start and window_end"):
        checked_with(f"({{}} + interval '{hours} hours')")
    assert checked_with("{}") == "the query runs; its first row can be sent"
    assert checked_with("date_trunc('second', {})") == "the query runs; its first row can be sent"


def test_the_operations_key_reaches_the_stage_and_its_trigger(tmp_path: Path) -> None:
    from wolkvox.dag.operations import deployed_operations
    from wolkvox.dag.schedule import codify_schedule, schedule_of

    (tmp_path / "operations.yaml").write_text("default:\n  timezone: America/Lima\n  warehouse_timezone: UTC\nsales:\n")
    utc, usual = deployed_operations(tmp_path).all
    assert (utc.warehouse_zone, usual.warehouse_zone) == ("UTC", "America/Bogota")
    schedule = codify_schedule(utc, tmp_path)
    (watcher,) = schedule.asset_condition.watchers  # type: ignore[union-attr]
    assert watcher.trigger.timezone == "UTC"
    assert schedule_of(DAG("d", schedule=schedule)).timezone == "America/Lima"
