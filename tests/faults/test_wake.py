"""The way from an event to a run may fail anywhere: nothing is left out, nobody is flooded."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import Database
from crew import SQL, ZONE, connect
from sandbox_server import SandboxServer
from watching import (
    DAG,
    QUARTERS,
    contact,
    finish,
    new_process,
    pass_time,
    poll,
    poll_at_once,
    restart,
    run_for,
    stage,
    trigger,
)
from wire import Wire

from wolkvox import triggers
from wolkvox.errors import WolkvoxError
from wolkvox.ledger.watch import note_event, read_watch
from wolkvox.page.queries import polls
from wolkvox.rules.options import read_options
from wolkvox.rules.schedule import Schedule
from wolkvox.rules.wake import Event, Watch, pause
from wolkvox.rules.window import Window
from wolkvox.tasks.watch import Watched, begin
from wolkvox.warehouse import connections, fingerprints, polling
from wolkvox.warehouse.queries import contacted_customers

__all__ = ["new_process"]


@pytest.fixture(autouse=True)
def usual_day(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    """A DAG that has staged a contact, a minute ago."""
    connect(sandbox, preflight=False)
    contact(warehouse, "1001", 300)
    stage("first")
    finish(ledger)
    pass_time(ledger, 60)


def known(ledger: Database) -> set[str]:
    return {customer for (customer,) in ledger.rows("SELECT customer_id FROM wolkvox.codification")}


def test_nothing_new_is_no_event() -> None:
    assert not poll()


def test_a_contact_is_signalled_until_a_stage_takes_it_up(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1002")
    assert poll()
    stage("second")
    finish(ledger)
    pass_time(ledger, 60)
    assert not poll()
    assert known(ledger) == {"1001", "1002"}


def test_a_late_row_is_signalled_however_old_its_contact_is(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1002", 3_600)
    assert poll()


def test_rows_that_leave_the_look_back_are_no_news(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1000", 86_400 - 3)
    stage("second")
    finish(ledger)
    pass_time(ledger, 60)
    assert ledger.value("SELECT row_count FROM wolkvox.watch") == 2
    time.sleep(3.5)
    assert not poll()


def test_a_contact_of_the_future_is_signalled_when_its_time_has_come(warehouse: Database) -> None:
    contact(warehouse, "1002", -2)
    assert not poll()
    time.sleep(2.5)
    assert poll()


def test_a_contact_that_is_taken_out_of_the_warehouse_is_staged_once(ledger: Database, warehouse: Database) -> None:
    warehouse.execute("DELETE FROM contacted_customers")
    assert poll()
    stage("second")
    pass_time(ledger, 60)
    assert not poll()


def test_a_row_that_comes_while_the_stage_pulls_is_signalled_afterwards(ledger: Database, warehouse: Database) -> None:
    now = datetime.now(timezone.utc)

    def slow() -> Iterator[Sequence[Any]]:
        yield from list(contacted_customers("warehouse", SQL, Window(now - timedelta(days=1), now), ZONE))
        contact(warehouse, "1003")
        assert not poll(), "the stage that is under way may still take it up"

    contact(warehouse, "1002")
    assert poll()
    stage("second", rows=slow())
    assert known(ledger) == {"1001", "1002"}
    pass_time(ledger, 5)
    assert poll()
    stage("third")
    assert known(ledger) == {"1001", "1002", "1003"}


def test_a_row_that_comes_while_the_run_sends_is_signalled_at_once(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1002")
    assert poll()
    stage("second")
    pass_time(ledger, 5)
    assert not poll(), "its workers are under way"
    contact(warehouse, "1003")
    assert poll()


def test_a_triggerer_that_is_started_again_signals_what_came_meanwhile(warehouse: Database) -> None:
    assert not poll()
    contact(warehouse, "1002")
    restart()
    assert poll()


def test_a_lost_event_is_sent_again_after_a_minute_and_then_more_and_more_seldom(
    ledger: Database, warehouse: Database
) -> None:
    contact(warehouse, "1002")
    assert poll()
    for distance in (60, 120, 240, 480, 900, 900):
        assert not poll()
        pass_time(ledger, distance - 5)
        assert not poll()
        pass_time(ledger, 5)
        assert poll()


def test_an_event_that_is_answered_twice_brings_a_contact_once(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1002")
    assert poll()
    assert stage("second")["new"] == 1
    assert stage("doubled")["new"] == 0
    finish(ledger)
    pass_time(ledger, 60)
    assert not poll()


def test_an_event_that_is_answered_late_finds_what_came_since(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1002")
    assert poll()
    pass_time(ledger, 50)
    contact(warehouse, "1003")
    assert not poll(), "the run that comes takes it up, too"
    assert stage("late")["new"] == 2
    finish(ledger)
    pass_time(ledger, 60)
    assert not poll()


def test_a_stage_that_fails_is_begun_again_after_a_minute(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    def broken() -> Iterator[Sequence[Any]]:
        raise WolkvoxError("the warehouse went away")
        yield ()

    contact(warehouse, "1002")
    assert poll()
    with pytest.raises(WolkvoxError, match="went away"):
        stage("broken", rows=broken())
    finish(ledger)
    pass_time(ledger, 119)
    assert not poll()
    pass_time(ledger, 2)
    assert poll()


def test_a_stage_that_takes_long_is_not_joined_by_others(ledger: Database, warehouse: Database) -> None:
    """As a first load does, or a large window over a slow line."""
    ledger.execute("DELETE FROM wolkvox.watch")
    polls = []

    def slow() -> Iterator[Sequence[Any]]:
        for _ in range(12):
            pass_time(ledger, 60)
            polls.append(poll())
        yield from ()

    stage("slow", rows=slow())
    assert polls == [False] * 12


def test_of_many_triggers_at_once_one_sends_the_event(warehouse: Database) -> None:
    contact(warehouse, "1002")
    assert sorted(poll_at_once(trigger() for _ in range(8))) == [False] * 7 + [True]


def test_of_two_triggerers_that_saw_the_same_one_sends_the_event(ledger: Database) -> None:
    first, second = (read_watch(ledger.connection, "wolkvox_codify").watch for _ in range(2))
    assert note_event(ledger.connection, "wolkvox_codify", Event("11 rows", 0), first.event_at)
    assert not note_event(ledger.connection, "wolkvox_codify", Event("11 rows", 0), second.event_at)


def test_of_two_stages_at_once_the_later_count_stays(ledger: Database, warehouse: Database) -> None:
    now = datetime.now(timezone.utc)

    def overtaken() -> Iterator[Sequence[Any]]:
        yield from list(contacted_customers("warehouse", SQL, Window(now - timedelta(days=1), now), ZONE))
        contact(warehouse, "1002")
        assert stage("second")["new"] == 1

    stage("first", rows=overtaken())
    finish(ledger)
    pass_time(ledger, 130)
    assert ledger.value("SELECT row_count FROM wolkvox.watch") == 2
    assert not poll()


def test_a_query_that_was_changed_is_staged_once(ledger: Database, warehouse: Database) -> None:
    contact(warehouse, "1002", 200)
    stage("second")
    finish(ledger)
    pass_time(ledger, 60)
    narrower = f"{SQL} AND customer_id <> '1002'"
    assert poll(trigger(narrower))
    stage("third", sql=narrower)
    finish(ledger)
    pass_time(ledger, 60)
    assert not poll(trigger(narrower))


@pytest.mark.parametrize(
    "params",
    [
        {"dry_run": True},
        {"customer_id": "1001"},
        {"window_start": "2026-01-01T00:00:00Z"},
        {"window_end": "2036-01-01T00:00:00Z"},
    ],
)
def test_a_run_that_pulls_something_else_answers_no_event(
    ledger: Database, warehouse: Database, params: dict[str, Any]
) -> None:
    contact(warehouse, "1002")
    assert poll()
    stage("other", rows=[], **params)
    finish(ledger)
    pass_time(ledger, 61)
    assert poll()


def test_a_backfill_leaves_the_polls_as_they_are(ledger: Database, warehouse: Database) -> None:
    before = ledger.rows("SELECT * FROM wolkvox.watch")
    for days in (90, 60, 2):
        stage(f"backfill {days}", ago=timedelta(days=days))
    assert ledger.rows("SELECT * FROM wolkvox.watch") == before
    contact(warehouse, "1002")
    assert poll()


def test_a_dry_run_leaves_no_trace(ledger: Database) -> None:
    before = ledger.rows("SELECT * FROM wolkvox.watch")
    stage("dry", dry_run=True)
    assert ledger.rows("SELECT * FROM wolkvox.watch") == before


def test_a_dag_that_is_paused_or_gone_is_polled_once_a_minute_and_signalled_four_times_an_hour(
    ledger: Database, warehouse: Database
) -> None:
    contact(warehouse, "1002")
    assert poll()
    pass_time(ledger, 3_600)
    ledger.execute("UPDATE wolkvox.watch SET event_repeats = 9")
    watch = read_watch(ledger.connection, "wolkvox_codify").watch
    assert pause(watch, 5.0, 0.01) == 60.0
    assert poll()
    pass_time(ledger, 899)
    assert not poll()
    stage("unpaused")
    finish(ledger)
    pass_time(ledger, 5)
    assert pause(read_watch(ledger.connection, "wolkvox_codify").watch, 5.0, 0.01) == 5.0
    contact(warehouse, "1003")
    assert poll()


def test_a_record_whose_time_has_come_is_signalled_without_a_look_at_the_warehouse(ledger: Database) -> None:
    ledger.execute("UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, not_before = now() + '1 h'")
    ledger.execute("UPDATE wolkvox.chunk SET closed_at = now()")
    blind = trigger(None, warehouse_conn_id="none")
    assert not poll(blind)
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() - interval '1 second'")
    assert poll(blind)


def test_a_trigger_whose_query_has_a_template_goes_by_the_ledger_alone(warehouse: Database) -> None:
    contact(warehouse, "1002")
    templated = trigger(f"{SQL} -- {{{{ ds }}}}")
    assert templated.sql is None
    assert not poll(templated)


def test_a_warehouse_that_can_not_count_leaves_its_contacts_to_the_cron(
    ledger: Database, warehouse: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The pull works; only the query in brackets does not."""
    twice = SQL.replace("    comment,", "    comment,\n    contacted_at,")
    contact(warehouse, "1002")
    assert stage("second", sql=twice)["new"] == 1
    assert ledger.rows("SELECT since, row_count FROM wolkvox.watch") == [(None, None)]
    assert "only the cron begins runs for new contacts" in caplog.text
    ((staged_at,),) = ledger.rows("SELECT staged_at FROM wolkvox.watch")
    assert polls(ledger.connection, DAG).uncounted_since == staged_at, "the page says so"
    finish(ledger)
    pass_time(ledger, 60)
    contact(warehouse, "1003")
    assert not poll(trigger(twice))


def test_contacts_that_are_handed_over_are_no_warehouse_that_can_not_count(ledger: Database) -> None:
    """There is nothing to count: nobody is told of it, and the trigger goes by the ledger alone."""
    staging = begin(ledger.connection, DAG, Watched(QUARTERS), read_options({}, ZONE), datetime.now(timezone.utc))
    staging.end(ledger.connection, fruitful=True)
    assert polls(ledger.connection, DAG).uncounted_since is None
    assert not poll(trigger(None))


@pytest.mark.parametrize("ahead", [600, 86_400])
def test_a_clock_that_was_ahead_holds_no_event_back_and_repeats_none(
    ledger: Database, warehouse: Database, ahead: int
) -> None:
    pass_time(ledger, -ahead)
    ledger.execute("UPDATE wolkvox.watch SET event_at = staged_at, since = since + (staged_at - now())")
    contact(warehouse, "1002")
    assert sorted(poll_at_once(trigger() for _ in range(4))) == [False] * 3 + [True]
    assert stage("second")["new"] == 1
    finish(ledger)
    pass_time(ledger, 30)
    assert not poll()
    contact(warehouse, "1003")
    assert poll()


def test_a_stage_that_died_while_the_clock_was_ahead_holds_no_event_back(ledger: Database, warehouse: Database) -> None:
    ledger.execute("UPDATE wolkvox.watch SET stage_began_at = now() + interval '1 day'")
    contact(warehouse, "1002")
    assert poll()


# What can't be reached, or says nothing


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a hundredth."""
    monkeypatch.setattr(triggers, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(triggers, "LONGEST_WAIT", 0.2)
    monkeypatch.setattr("wolkvox.rules.wake.SHARE", 0)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the triggers said."""
    return [record.getMessage() for record in caplog.records if "polls for work" in record.getMessage().lower()]


def test_a_warehouse_that_raises_is_one_line_and_no_traceback(
    quick: None, warehouse: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    warehouse.execute("ALTER TABLE contacted_customers RENAME TO gone")
    one = trigger(wake=0.05)
    assert run_for(2.0, one)[0] == 0
    (line,) = lines(caplog)
    assert line.startswith("Polls for work of wolkvox_codify fail; the cron alone begins its runs.")
    assert "UndefinedTable" in line
    assert "Traceback" not in caplog.text
    warehouse.execute("ALTER TABLE gone RENAME TO contacted_customers")
    contact(warehouse, "1002")
    assert run_for(1.0, one)[0] == 1
    assert len(lines(caplog)) == 1, "a trigger that is started again knows of no trouble"


def test_a_first_poll_that_takes_long_is_soon_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looked the connections up in Airflow's database, which takes some seconds once; what follows is measured."""
    began = []

    async def slow(_: object) -> Any:
        began.append(time.monotonic())
        time.sleep(0.5)
        return Watch(datetime.now(timezone.utc)), False

    monkeypatch.setattr(polling, "poll", slow)
    run_for(4.0, trigger(wake=0.05))
    first, second = began
    assert second - first < 2.0


def test_a_package_that_can_not_be_imported_is_one_line(
    quick: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wolkvox.warehouse.polling", None)
    assert run_for(1.0, trigger(wake=0.05))[0] == 0
    (line,) = lines(caplog)
    assert line.endswith("ModuleNotFoundError")


def test_trouble_that_is_over_is_one_more_line(
    quick: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    failing = iter([True] * 3 + [False] * 10_000)

    async def once(_: object) -> Any:
        if next(failing):
            raise RuntimeError
        return Watch(datetime.now(timezone.utc)), False

    monkeypatch.setattr(polling, "poll", once)
    run_for(1.5, trigger(wake=0.05))
    assert lines(caplog)[1:] == ["Polls for work of wolkvox_codify work again, after 3 that failed."]


def test_trouble_that_comes_and_goes_is_one_line_a_minute(
    quick: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    seen = iter(range(10_000))

    async def flaky(_: object) -> Any:
        if next(seen) % 2:
            raise RuntimeError("a value of '573001234567' and 573001234567")
        return read, False

    read = Watch(datetime.now(timezone.utc))
    monkeypatch.setattr(polling, "poll", flaky)
    run_for(2.0, trigger(wake=0.05))
    assert len([line for line in lines(caplog) if "begins its runs" in line]) == 1
    assert "573001234567" not in caplog.text


def test_a_warehouse_that_hangs_holds_up_nobody_else(
    quick: None, ledger: Database, warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fingerprints._SHORT, "postgresql", "SET LOCAL statement_timeout = '300ms'")
    ledger.execute("CREATE TABLE contacted_customers AS SELECT 1 AS contacted_at LIMIT 0")
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", os.environ["AIRFLOW_CONN_WOLKVOX_LEDGER"])
    other = trigger("SELECT now() AS contacted_at", dag_id="wolkvox_codify_other", warehouse_conn_id="other")
    contact(warehouse, "1002")
    with warehouse.connection.transaction():
        warehouse.execute("LOCK TABLE contacted_customers")
        events, blocked = run_for(2.0, *(trigger(wake=0.05) for _ in range(5)), other)
    assert events == 1, "of the other one, which has never staged"
    assert blocked < 0.5
    assert run_for(1.0, trigger(wake=0.05))[0] == 1


def test_a_ledger_that_says_nothing_is_left_and_found_again(
    quick: None, ledger: Database, wire: Wire, warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LEDGER_TIMEOUT", 0.5)
    contact(warehouse, "1002")
    one = trigger(wake=0.05)
    ledger.execute("UPDATE wolkvox.watch SET event_at = clock_timestamp(), event_repeats = 5")
    assert run_for(0.5, one)[0] == 0
    wire.fall_silent()
    events, blocked = run_for(2.0, one)
    assert (events, blocked < 0.5) == (0, True)
    ledger.execute("UPDATE wolkvox.watch SET event_at = NULL")
    wire.cut()
    wire.speak()
    assert run_for(6.0, one)[0] == 1


def test_a_changed_connection_is_used_as_soon_as_the_old_one_fails(
    quick: None, warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a password was changed: the old one is refused from then on."""
    login = f"poller_{os.getpid()}"
    warehouse.execute(f"CREATE ROLE {login} LOGIN; GRANT SELECT ON contacted_customers TO {login}")
    right = os.environ["AIRFLOW_CONN_WAREHOUSE"]
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", right.replace("//postgres@", f"//{login}@"))
    try:
        assert not poll()
        warehouse.execute(f"ALTER ROLE {login} NOLOGIN")
        warehouse.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{login}'")
        contact(warehouse, "1002")
        assert run_for(0.5, trigger(wake=0.05))[0] == 0
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", right)
        assert run_for(1.0, trigger(wake=0.05))[0] == 1
    finally:
        warehouse.execute(f"DROP OWNED BY {login}; DROP ROLE {login}")


def test_a_warehouse_that_moved_is_polled_at_its_new_place_though_the_old_one_lives(
    ledger: Database, warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not poll()
    ledger.execute("CREATE TABLE contacted_customers AS SELECT * FROM wolkvox.codification LIMIT 0")
    ledger.execute("INSERT INTO contacted_customers (contacted_at) VALUES (now())")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", os.environ["AIRFLOW_CONN_WOLKVOX_LEDGER"])
    assert not poll(), "what is open is used for some minutes"
    monkeypatch.setattr(connections, "KEPT", 0.0)
    assert poll()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AIRFLOW_CONN_WAREHOUSE", "none://"),
        ("AIRFLOW_CONN_WAREHOUSE", "postgresql://nobody@127.0.0.1:1/none"),
        ("AIRFLOW_CONN_WAREHOUSE", "http://example.com"),
        ("AIRFLOW_CONN_WOLKVOX_LEDGER", "postgresql://nobody@127.0.0.1:1/none"),
        ("AIRFLOW_CONN_WOLKVOX_LEDGER", ""),
    ],
)
def test_a_connection_that_can_not_work_is_one_line(
    quick: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv(variable, value)
    assert run_for(1.0, trigger(wake=0.05))[0] == 0
    assert len(lines(caplog)) == 1


def test_a_ledger_without_tables_is_one_line_that_says_what_to_do(
    quick: None, ledger: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.execute("DROP TABLE wolkvox.watch")
    assert run_for(1.0, trigger(wake=0.05))[0] == 0
    (line,) = lines(caplog)
    assert "run `python -m wolkvox migrate`" in line


# What it costs


def test_fifty_triggers_of_one_warehouse_share_its_connections(ledger: Database, warehouse: Database) -> None:
    poll_at_once(trigger(dag_id=f"dag_{number}") for number in range(50))
    contact(warehouse, "1002")
    poll_at_once(trigger() for _ in range(50))
    of_us = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert 1 <= warehouse.value(of_us) <= 3
    assert ledger.value(of_us) == 1


def test_a_poll_without_news_writes_nothing_but_once_a_minute(ledger: Database) -> None:
    poll()
    noted = ledger.value("SELECT polled_at FROM wolkvox.watch")
    for _ in range(5):
        poll()
    assert ledger.value("SELECT polled_at FROM wolkvox.watch") == noted
    pass_time(ledger, 61)
    poll()
    assert ledger.value("SELECT polled_at > %s FROM wolkvox.watch", noted)


def test_a_stage_without_a_trigger_counts_nothing(ledger: Database, caplog: pytest.LogCaptureFixture) -> None:
    summary = stage("second", schedule=Schedule("*/1 * * * *", ZONE, None))
    assert summary["poll_age"] is None
    assert ledger.rows("SELECT cron, wake_seconds, row_count FROM wolkvox.watch") == [("*/1 * * * *", None, None)]


def test_the_run_knows_what_began_it_and_how_long_ago_the_last_poll_was(ledger: Database) -> None:
    poll()
    pass_time(ledger, 100)
    summary = stage("second", schedule=QUARTERS)
    assert summary["began_by"] == "event"
    assert 100 <= summary["poll_age"] < 110
    assert ledger.value("SELECT began_by FROM wolkvox.run WHERE dag_run_id = 'second'") == "event"
    assert json.dumps(summary)
