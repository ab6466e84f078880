"""Conditions are told when they begin, once a day while they last, and when they end."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

from conftest import Database

from wolkvox.ledger.conditions import News, arrivals, note
from wolkvox.ledger.connection import connected


def notes(ledger: Database, *names: str, dag: str = "dag", operation: str = "0041") -> News:
    return note(ledger.connection, operation, dag, {name: f"{name}!" for name in names})


def test_a_condition_is_told_when_it_begins_and_when_it_ends(ledger: Database) -> None:
    assert notes(ledger, "outage") == News(began={"outage": "outage!"})
    assert notes(ledger, "outage") == News()
    assert notes(ledger, "outage", "quota") == News(began={"quota": "quota!"})
    assert notes(ledger, "quota") == News(ended={"outage": "outage!"})
    assert notes(ledger) == News(ended={"quota": "quota!"})
    assert notes(ledger) == News()
    assert notes(ledger, "outage") == News(began={"outage": "outage!"})


def test_a_condition_that_lasts_is_told_once_a_day(ledger: Database) -> None:
    told = []
    for _ in range(4 * 24):
        told.append(notes(ledger, "outage"))
        ledger.execute("UPDATE wolkvox.condition SET told_at = told_at - interval '1 hour'")
    assert [index for index, news in enumerate(told) if news != News()] == [0, 24, 48, 72]
    assert told[24] == News(lasts={"outage": "outage!"})


def test_two_dags_and_two_operations_are_told_apart(ledger: Database) -> None:
    assert notes(ledger, "outage") == News(began={"outage": "outage!"})
    assert notes(ledger, "outage", dag="other") == News(began={"outage": "outage!"})
    assert notes(ledger, operation="0042") == News()
    assert notes(ledger, dag="other") == News(ended={"outage": "outage!"})


def test_two_verdicts_at_once_tell_one_thing_once(ledger: Database) -> None:
    found: list[News] = []
    together = Barrier(2)

    def tell() -> None:
        with connected("wolkvox_ledger") as connection:
            together.wait()
            found.append(note(connection, "0041", "dag", {"outage": "outage!"}))

    threads = [Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(news.began) + len(news.lasts) for news in found) == [0, 1]


def test_arrivals_are_compared_with_the_same_hour_of_past_weeks(ledger: Database) -> None:
    assert arrivals(ledger.connection, "0041") == (None, [])
    for age in ("3 hours", "7 days 1 hour", "14 days 2 hours"):
        ledger.execute("INSERT INTO wolkvox.intake VALUES ('0041', now() - %s::interval, 5)", age)
    newest, usual = arrivals(ledger.connection, "0041")
    assert newest is not None
    assert ledger.value("SELECT now() - %s::timestamptz < interval '3 hours 1 minute'", newest)
    assert [round(gap / timedelta(hours=1)) for gap in usual] == [1, 2]
