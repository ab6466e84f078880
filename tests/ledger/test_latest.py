"""Alerts of shares are judged over the last hour, or over enough of the latest records of a day."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from conftest import Database

from wolkvox.ledger.latest import arrivals, latest
from wolkvox.rules.shares import Arrivals, Latest, Outcomes

NOW = datetime(2026, 3, 2, 15, 7, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def put(ledger: Database, count: int, ago: timedelta, state: str = "coded", **columns: Any) -> None:
    """So many records that came in (and were settled, unless they wait) so long ago, a second apart."""
    row = {"operation": "0041", "type_campaign": "preview", "campaign_id": "1", **columns}
    ledger.execute(
        "INSERT INTO wolkvox.codification"
        " (contact_key, operation, type_campaign, campaign_id, state, staged_at, settled_at)"
        " SELECT gen_random_uuid(), %s, %s, %s, state, moment, CASE WHEN state <> 'pending' THEN moment END"
        " FROM (SELECT %s AS state, %s::timestamptz - n * interval '1 second' AS moment"
        " FROM generate_series(1, %s::int) AS n) AS one",
        row["operation"],
        row["type_campaign"],
        row["campaign_id"],
        state,
        NOW - ago,
        count,
    )


def read(ledger: Database, *suspended: tuple[str, str], operation: str = "0041") -> Latest:
    return latest(ledger.connection, operation, suspended, NOW)


def test_an_empty_ledger_says_nothing(ledger: Database) -> None:
    assert read(ledger) == Latest(Outcomes(), Arrivals(since=NOW - HOUR))


def test_a_busy_hour_is_judged_alone(ledger: Database) -> None:
    put(ledger, 500, 2 * HOUR, "rejected")
    put(ledger, 95, 0.5 * HOUR)
    put(ledger, 3, 0.2 * HOUR, "rejected")
    put(ledger, 2, 0.1 * HOUR, "failed")
    assert read(ledger).outcomes == Outcomes(100, 3, 2, NOW - 0.5 * HOUR - timedelta(seconds=95))


def test_a_quiet_hour_is_judged_with_the_latest_fifty_of_a_day(ledger: Database) -> None:
    put(ledger, 500, 30 * HOUR, "rejected")
    put(ledger, 100, 5 * HOUR, "failed")
    put(ledger, 40, 3 * HOUR)
    put(ledger, 2, 0.5 * HOUR, "rejected")
    found = read(ledger).outcomes
    assert (found.total, found.rejected, found.failed) == (50, 2, 8)


def test_records_of_the_day_before_yesterday_judge_nobody(ledger: Database) -> None:
    put(ledger, 500, 25 * HOUR, "rejected")
    put(ledger, 2, 0.5 * HOUR)
    assert read(ledger).outcomes.total == 2


def test_other_operations_other_states_and_the_trials_of_suspended_campaigns_judge_nobody(ledger: Database) -> None:
    put(ledger, 10, 0.1 * HOUR, "rejected", operation="0042")
    put(ledger, 10, 0.2 * HOUR, "superseded")
    put(ledger, 10, 0.3 * HOUR, "rejected", campaign_id="2")
    put(ledger, 3, 0.4 * HOUR, "rejected", campaign_id="1")
    put(ledger, 5, 0.5 * HOUR, campaign_id="2")
    found = read(ledger, ("preview", "2"), ("preview", "3")).outcomes
    assert (found.total, found.rejected) == (8, 3)
    assert read(ledger, operation="0042").outcomes.share == 1.0


def test_invalid_rows_are_a_share_of_what_came_in_whatever_was_sent(ledger: Database) -> None:
    put(ledger, 500, 20 * HOUR, "invalid")
    put(ledger, 980, 0.5 * HOUR, "pending")
    put(ledger, 20, 0.4 * HOUR, "invalid")
    found = read(ledger).arrivals
    assert (found.total, found.invalid) == (1_000, 20)
    assert NOW - 1.25 * HOUR <= found.since <= NOW - 0.5 * HOUR  # type: ignore[operator]


def test_few_rows_are_judged_with_those_before_them(ledger: Database) -> None:
    put(ledger, 5, 10 * HOUR, "invalid")
    put(ledger, 60, 5 * HOUR)
    put(ledger, 1, 0.1 * HOUR, "invalid")
    found = read(ledger).arrivals
    assert (found.total, found.invalid) == (61, 1)
    put(ledger, 49, 0.1 * HOUR)
    assert read(ledger).arrivals.total == 50, "the hour has enough"


def test_rows_whose_code_was_withdrawn_count_though_nothing_came_in(ledger: Database) -> None:
    put(ledger, 100, 26 * HOUR, "pending")
    ledger.execute("UPDATE wolkvox.codification SET state = 'invalid', settled_at = %s", NOW - 0.1 * HOUR)
    assert read(ledger).arrivals.share == 1.0


def test_arrivals_are_compared_with_the_same_hour_of_past_weeks(ledger: Database) -> None:
    assert arrivals(ledger.connection, "0041") == (None, [])
    for age in ("3 hours", "7 days 1 hour", "14 days 2 hours"):
        ledger.execute("INSERT INTO wolkvox.ingest_count VALUES ('0041', now() - %s::interval, 5)", age)
    newest, usual = arrivals(ledger.connection, "0041")
    assert newest is not None
    assert ledger.value("SELECT now() - %s::timestamptz < interval '3 hours 1 minute'", newest)
    assert [round(gap / HOUR) for gap in usual] == [1, 2]
