"""An alert fires once, rests, resolves, fires again; whatever noted it, whoever notes it at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Thread

from conftest import Database
from crew import wait_until

from wolkvox.ledger.alerts import AlertChanges, known_alerts, note, note_one
from wolkvox.ledger.connection import connected

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def notes(ledger: Database, at: timedelta, *names: str, dag: str = "dag", operation: str = "0041") -> AlertChanges:
    """A verdict, so long after noon, that finds the causes of these alerts."""
    return note(ledger.connection, operation, dag, {name: f"{name}!" for name in names}, NOON + at)


def test_an_alert_resolves_an_hour_after_its_cause_was_there_last(ledger: Database) -> None:
    assert notes(ledger, 0 * MINUTE, "outage") == AlertChanges(firing={"outage": "outage!"})
    assert notes(ledger, 1 * MINUTE, "outage", "quota") == AlertChanges(firing={"quota": "quota!"})
    assert notes(ledger, 60 * MINUTE) == notes(ledger, 60 * MINUTE, "quota") == AlertChanges()
    assert notes(ledger, 61 * MINUTE, "quota") == AlertChanges(resolved={"outage": "outage!"})
    assert notes(ledger, 121 * MINUTE) == AlertChanges(resolved={"quota": "quota!"})
    assert notes(ledger, 122 * MINUTE) == AlertChanges()


def test_a_cause_that_comes_back_within_the_hour_changes_nothing(ledger: Database) -> None:
    notes(ledger, 0 * MINUTE, "outage")
    for number in range(1, 20):
        assert notes(ledger, number * 30 * MINUTE, *(["outage"] if number % 2 == 0 else [])) == AlertChanges()


def test_one_that_fires_again_within_a_day_resolves_after_a_day(ledger: Database) -> None:
    notes(ledger, 0 * HOUR, "outage")
    assert notes(ledger, 2 * HOUR).resolved
    assert notes(ledger, 25 * HOUR, "outage").firing
    (alert,) = known_alerts(ledger.connection, "0041", "dag").values()
    assert alert.again
    assert notes(ledger, 48 * HOUR) == AlertChanges()
    assert notes(ledger, 49 * HOUR).resolved
    assert notes(ledger, 74 * HOUR, "outage").firing
    (alert,) = known_alerts(ledger.connection, "0041", "dag").values()
    assert not alert.again, "a day after it resolved it is a new one"


def test_the_sentence_is_the_latest(ledger: Database) -> None:
    for number in (1, 2):
        note(ledger.connection, "0041", "dag", {"quota": f"{number} used."}, NOON + number * MINUTE)
    (alert,) = known_alerts(ledger.connection, "0041", "dag").values()
    assert (alert.message, alert.firing_since) == ("2 used.", NOON + MINUTE)


def test_what_resolved_a_week_ago_is_forgotten_with_what_people_were_told(ledger: Database) -> None:
    notes(ledger, 0 * HOUR, "outage")
    notes(ledger, 2 * HOUR)
    ledger.execute("INSERT INTO wolkvox.notification VALUES ('0041', 'dag', 'outage', 'ana', now(), false, now())")
    notes(ledger, 7 * DAY)
    assert ledger.value("SELECT count(*) FROM wolkvox.notification") == 1
    notes(ledger, 7 * DAY + 3 * HOUR)
    assert known_alerts(ledger.connection, "0041", "dag") == {}
    assert ledger.value("SELECT count(*) FROM wolkvox.notification") == 0


def test_two_dags_and_two_operations_are_told_apart(ledger: Database) -> None:
    notes(ledger, 0 * HOUR, "outage")
    assert notes(ledger, 0 * HOUR, "outage", dag="other") == AlertChanges(firing={"outage": "outage!"})
    assert notes(ledger, 0 * HOUR, operation="0042") == AlertChanges()
    assert notes(ledger, 2 * HOUR, dag="other") == AlertChanges(resolved={"outage": "outage!"})
    (alert,) = known_alerts(ledger.connection, "0041", "dag").values()
    assert alert.resolved_at is None


def test_one_alert_that_is_noted_alone_leaves_the_others(ledger: Database) -> None:
    notes(ledger, 0 * HOUR, "outage")
    note_one(ledger.connection, "0041", "dag", "late", "late!", NOON + 5 * HOUR)
    assert {name: alert.resolved_at for name, alert in known_alerts(ledger.connection, "0041", "dag").items()} == {
        "outage": None,
        "late": None,
    }


def test_of_two_verdicts_at_once_one_fires(ledger: Database) -> None:
    """The second one waits until the first one's transaction is over, and finds what it noted."""
    noted: list[AlertChanges] = []

    def verdict() -> None:
        with connected("wolkvox_ledger") as connection:
            noted.append(note(connection, "0041", "dag", {"outage": "outage!"}, NOON + MINUTE))

    second = Thread(target=verdict)
    with ledger.connection.transaction():
        assert notes(ledger, 0 * MINUTE, "outage").firing
        second.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        wait_until(lambda: ledger.value(waits), seconds=10.0)
    second.join()
    assert noted == [AlertChanges()]
