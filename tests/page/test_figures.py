"""The page's figures are the ledger's own, whatever is counted already and whatever changes afterwards."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest

from wolkvox.airflow_core.dags import DagState
from wolkvox.ledger.figures import count_closed_spans, figures, run_lag
from wolkvox.ledger.notifications import mark_undelivered
from wolkvox.page import queries
from wolkvox.page.overview import describe_service, overview
from wolkvox.page.reading import know
from wolkvox.rules.campaigns import Listed
from wolkvox.rules.spans import last_days, last_hours, shown_spans, waiting_at_ends
from wolkvox.vendor.settings import Settings

if TYPE_CHECKING:
    from conftest import Database

ZONE = "America/Bogota"
NOW = datetime.now(timezone.utc)
SETTINGS = Settings(
    conn_id="wolkvox_default",
    base_url="http://127.0.0.1:9",
    server="0041",
    operation="0041",
    token="token",
    daily_requests=1_000,
    quota_reserve=0,
    quota_timezone=ZONE,
    call_timeout=65.0,
    preflight=False,
    check_codes=False,
)


@pytest.fixture(autouse=True)
def this_moment() -> None:
    """The moment that a test is about; it is done within the hour."""
    global NOW
    while (NOW := datetime.now(timezone.utc)).minute == 59 and NOW.second > 30:
        time.sleep(0.5)


def put(ledger: Database, ago: timedelta, state: str = "coded", **columns: Any) -> None:
    """One record, settled (or, if it waits, contacted) so long ago, five minutes after the contact."""
    moment = NOW - ago
    row = {
        "contact_key": uuid4(),
        "operation": "0041",
        "type_campaign": "preview",
        "campaign_id": "1",
        "customer_id": "573001234567",
        "contacted_at": moment - timedelta(minutes=5),
        "staged_at": moment,
        "settled_at": None if state in ("pending", "sending") else moment,
        "state": state,
        **columns,
    }
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    ledger.execute(f"INSERT INTO wolkvox.codification ({names}) VALUES ({places})", *row.values())


def read(ledger: Database) -> dict[str, Any]:
    """The page's first screen."""
    with queries.snapshot("wolkvox_ledger") as connection:
        return overview(know(connection, SETTINGS, NOW, airflow=lambda _: DagState(False, None)))


def findings(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was found of the operation's health, by name."""
    return {one["name"]: one for one in page["health"]["findings"]}


def count(ledger: Database) -> int:
    """What ``verdict`` does at the end of a run."""
    return count_closed_spans(ledger.connection, "0041", shown_spans(NOW, ZONE))


def by_hour(ledger: Database) -> Counter[tuple[int, str]]:
    """The ledger's own count of the last hours: the hour's place and the state."""
    first = last_hours(NOW)[0].starts_at
    return Counter(
        {
            (hour, state): records
            for hour, state, records in ledger.rows(
                "SELECT floor(extract(epoch FROM settled_at - %s) / 3600)::integer, state, count(*)"
                " FROM wolkvox.codification"
                " WHERE settled_at >= %s AND state IN ('coded', 'rejected', 'failed') GROUP BY 1, 2",
                first,
                first,
            )
        }
    )


def shown(page: dict[str, Any]) -> Counter[tuple[int, str]]:
    """The same, from the page."""
    found = {
        (hour, state): records
        for name, state in (("coded", "coded"), ("refused", "rejected"), ("failed", "failed"))
        for hour, records in enumerate(page["hours"][name])
    }
    return +Counter(found)


def test_counted_and_live_hours_agree_with_the_ledger(ledger: Database) -> None:
    for hours in (0, 1, 1, 5, 23, 30, 100):
        put(ledger, timedelta(hours=hours))
    put(ledger, timedelta(hours=2), "rejected", reason="refused_422")
    live = read(ledger)
    assert count(ledger) == 23 + 29
    assert count(ledger) == 0
    assert {**read(ledger), "now": ""} == {**live, "now": ""}
    assert shown(live) == by_hour(ledger)
    assert sum(live["days"]["coded"]) == 7


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL WHERE state = 'rejected'",
        "UPDATE wolkvox.codification SET state = 'superseded', settled_at = now() WHERE state = 'rejected'",
        "UPDATE wolkvox.codification SET settled_at = settled_at - interval '2 hours' WHERE state = 'rejected'",
        "DELETE FROM wolkvox.codification WHERE state = 'rejected'",
        "INSERT INTO wolkvox.codification (contact_key, operation, state, settled_at)"
        " SELECT gen_random_uuid(), operation, 'failed', settled_at FROM wolkvox.codification",
    ],
)
def test_what_changes_in_a_counted_hour_is_seen_at_once(ledger: Database, change: str) -> None:
    put(ledger, timedelta(hours=3))
    put(ledger, timedelta(hours=3), "rejected")
    count(ledger)
    assert shown(read(ledger)) == by_hour(ledger)
    ledger.execute(change)
    assert shown(read(ledger)) == by_hour(ledger)
    count(ledger)
    assert shown(read(ledger)) == by_hour(ledger)
    assert ledger.value("SELECT count(*) FROM wolkvox.dirty_hour") == 0


def test_an_hour_is_not_counted_while_somebody_may_still_write_into_it(ledger: Database) -> None:
    with psycopg.connect(ledger.uri) as writer:
        writer.execute("UPDATE wolkvox.codification SET reason = NULL")
        ahead = NOW + timedelta(hours=3)
        spans = shown_spans(ahead, ZONE)
        counted = count_closed_spans(ledger.connection, "0041", spans)
        assert counted == sum(span.ends_at <= NOW for span in spans)


def test_a_change_made_while_its_hour_is_counted_is_not_lost(ledger: Database) -> None:
    put(ledger, timedelta(hours=3), "failed")
    with psycopg.connect(ledger.uri) as writer:
        writer.execute("UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL")
        count(ledger)
        assert shown(read(ledger)) == Counter({(20, "failed"): 1})
        writer.commit()
    assert shown(read(ledger)) == Counter()
    count(ledger)
    assert shown(read(ledger)) == Counter()


def test_settling_a_record_marks_nothing(ledger: Database) -> None:
    put(ledger, timedelta(0), "sending")
    ledger.execute("UPDATE wolkvox.codification SET state = 'coded', settled_at = now()")
    assert ledger.value("SELECT count(*) FROM wolkvox.dirty_hour") == 0


def test_the_lag_is_exactly_the_ledgers(ledger: Database) -> None:
    for minutes in (1, 2, 3, 4, 100):
        settled = last_hours(NOW)[-2].starts_at
        put(ledger, NOW - settled, contacted_at=settled - timedelta(minutes=minutes), chunk_id="a", dag_run_id="run")
    for _ in range(2):
        hours = read(ledger)["hours"]
        assert (hours["lag_p50"][-2], hours["lag_p95"][-2]) == (180.0, pytest.approx(4848.0))
        count(ledger)
    assert run_lag(ledger.connection, "run", ["a"]).p95 == pytest.approx(4848.0)


def test_a_campaign_has_its_counts_its_last_run_and_its_oldest_waiting_contact(ledger: Database) -> None:
    put(ledger, timedelta(hours=2), dag_run_id="first")
    put(ledger, timedelta(hours=1), dag_run_id="second")
    put(ledger, timedelta(hours=9), "pending")
    put(ledger, timedelta(hours=8), "pending")
    put(ledger, timedelta(hours=3), "failed")
    put(ledger, timedelta(hours=1), "invalid", campaign_id=None, reason="campaign_id_missing")
    first, second = read(ledger)["campaigns"]
    assert first == {
        "type_campaign": "preview",
        "campaign_id": "1",
        "name": None,
        "status": None,
        "waiting": 2,
        "coded": 2,
        "rejected": 0,
        "failed": 1,
        "invalid": 0,
        "superseded": 0,
        "expired": 0,
        "held": 0,
        "last_run": "second",
        "oldest_waiting": (NOW - timedelta(hours=9, minutes=5)).isoformat(),
    }
    assert (second["campaign_id"], second["invalid"]) == (None, 1)


def test_what_is_deferred_is_counted_apart(ledger: Database) -> None:
    put(ledger, timedelta(hours=1), "pending")
    put(ledger, timedelta(hours=1), "pending", not_before=NOW + timedelta(hours=1))
    put(ledger, timedelta(hours=1), "sending")
    today = read(ledger)["today"]
    assert (today["waiting"], today["deferred"]) == (3, 1)


def test_suspended_campaigns_an_outage_and_the_last_runs_are_shown(ledger: Database) -> None:
    assert (read(ledger)["suspended"], read(ledger)["outage"], read(ledger)["runs"]) == ([], None, [])
    put(ledger, timedelta(hours=1), "pending")
    ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign VALUES ('0041', 'preview', '1', 'not_found', '404 NO', %s, %s)",
        NOW,
        NOW,
    )
    outage = "INSERT INTO wolkvox.circuit_breaker VALUES ('0041', 'bad_token', 'No.', %s, 'dag', 'run', %s, %s)"
    ledger.execute(outage, SETTINGS.identity, NOW, NOW)
    ledger.execute(
        "INSERT INTO wolkvox.run VALUES ('0041', 'dag', 'run', %s, %s, 'failed', '{\"coded\": 5}', %s, %s)",
        *(NOW, NOW, NOW, NOW + timedelta(seconds=90)),
    )
    ledger.execute("UPDATE wolkvox.run SET began_by = 'event'")
    page, now = read(ledger), NOW.isoformat()
    assert page["suspended"] == [
        {
            "type_campaign": "preview",
            "campaign_id": "1",
            "name": None,
            "status": None,
            "reason": "not_found",
            "message": "404 NO",
            "since": now,
            "until": now,
            "waiting": 1,
        }
    ]
    assert page["outage"] == {"reason": "bad_token", "message": "No.", "since": now, "until": now}
    assert page["runs"] == [
        {
            "dag": "dag",
            "run": "run",
            "began_at": now,
            "seconds": 90.0,
            "state": "failed",
            "began_by": "event",
            "records": None,
            "coded": 5,
            "rejected": None,
            "failed": None,
            "pending": None,
            "stopped": None,
        }
    ]
    ledger.execute("UPDATE wolkvox.circuit_breaker SET fingerprint = fingerprint + 1")  # of another token
    assert read(ledger)["outage"] is None


def test_chunks_that_nobody_sends_are_shown_with_since_when(ledger: Database) -> None:
    """Two queued tasks of a lost worker hold the pool's slots: nothing is red yet, and nothing moves."""
    ledger.execute(
        "INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, window_start, window_end, began_at)"
        " VALUES ('0041', 'dag', 'run', %s, %s, %s)",
        *(NOW, NOW, NOW - timedelta(minutes=9)),
    )
    chunk = "INSERT INTO wolkvox.chunk VALUES (%s, '0041', 'dag', 'run', %s, '{1,2,3}', now() - %s)"
    ledger.execute(chunk, "a", 1, timedelta(minutes=1))
    assert read(ledger)["unstarted"] is None, "a task may take a while to start"
    ledger.execute("UPDATE wolkvox.chunk SET made_at = %s", NOW - timedelta(minutes=5))
    ledger.execute(chunk, "b", 2, timedelta(minutes=4))
    since = (NOW - timedelta(minutes=5)).isoformat()
    assert read(ledger)["unstarted"] == {"dag": "dag", "run": "run", "chunks": 2, "records": 6, "since": since}
    ledger.execute(
        "INSERT INTO wolkvox.slot VALUES ('x/0', '0041', 1, 0, 'dag', 'run', 'codify', 0, 1, 'host', 1, %s)", NOW
    )
    assert read(ledger)["unstarted"] is None, "somebody has begun"
    ledger.execute("DELETE FROM wolkvox.slot")
    ledger.execute("UPDATE wolkvox.run SET state = 'failed'")
    assert read(ledger)["unstarted"] is None, "the run is over"


def test_two_dags_with_one_run_id_have_rows_of_their_own(ledger: Database) -> None:
    for dag in ("one", "other", None):
        put(ledger, timedelta(hours=1), dag_id=dag, dag_run_id="run")
    with queries.snapshot("wolkvox_ledger") as connection:
        for dag, rows in ((None, 3), ("one", 2), ("other", 2), ("third", 1)):
            wanted = queries.Filter(run="run", dag=dag)
            assert len(queries.rows(connection, "0041", wanted, limit=9, before=None)) == rows


def test_reasons_carry_the_vendors_words_without_ids(ledger: Database) -> None:
    said = "El codAct no es valido 573001234567, llame al 6015551234"
    for _ in range(2):
        put(ledger, timedelta(hours=1), "rejected", reason="refused_422", response_msg=said)
    put(ledger, timedelta(hours=1), "failed", reason="overloaded_500")
    assert read(ledger)["reasons"] == [
        {
            "state": "rejected",
            "reason": "refused_422",
            "records": 2,
            "message": "El codAct no es valido •••, llame al •••",
        },
        {"state": "failed", "reason": "overloaded_500", "records": 1, "message": None},
    ]


def test_what_can_not_be_sent_is_in_no_forecast(ledger: Database) -> None:
    """Of a suspended campaign 12 wait, and 5 others for their next attempt."""
    for _ in range(12):
        put(ledger, timedelta(hours=1), "pending", campaign_id="9")
    for _ in range(5):
        put(ledger, timedelta(hours=1), "pending", not_before=NOW + timedelta(hours=3))
    ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign VALUES ('0041', 'preview', '9', 'not_found', 'NO', %s, %s)", NOW, NOW
    )
    today = read(ledger)["today"]
    assert {name: today[name] for name in ("waiting", "sendable", "suspended", "deferred")} == {
        "waiting": 17,
        "sendable": 0,
        "suspended": 12,
        "deferred": 5,
    }
    ledger.execute(
        "INSERT INTO wolkvox.quota (account, day, request_limit, requests) VALUES ('0041', %s, 1000, 998)",
        NOW.astimezone(ZoneInfo(ZONE)).date(),
    )
    for _ in range(3):
        put(ledger, timedelta(hours=1), "pending")
    today = read(ledger)["today"]
    assert (today["sendable"], today["left"]) == (3, 2)
    assert today["backlog_ends_at"] == last_days(NOW, ZONE)[-1].ends_at.isoformat(timespec="seconds")


def test_the_forecast_follows_the_quota(ledger: Database) -> None:
    put(ledger, timedelta(hours=1), "pending")
    ledger.execute(
        "INSERT INTO wolkvox.quota (account, day, request_limit, requests) VALUES ('0041', %s, 1000, 1000)",
        NOW.astimezone(ZoneInfo(ZONE)).date(),
    )
    today = read(ledger)["today"]
    assert (today["requests"], today["limit"], today["left"]) == (1000, 1000, 0)
    assert today["backlog_ends_at"] == last_days(NOW, ZONE)[-1].ends_at.isoformat(timespec="seconds")


def test_a_slot_is_held_as_long_as_its_lock_is(ledger: Database) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.slot"
        " VALUES ('x/1', '0041', %s, 1, 'wolkvox_codify', 'run 1', 'codify', 3, 2, 'host', 1, now())",
        SETTINGS.fingerprint,
    )
    assert read(ledger)["slots"][0] == {"number": 1, "held": False}
    assert read(ledger)["slots"][1]["held"] is False
    ledger.rows("SELECT pg_advisory_lock(%s, 1)", SETTINGS.fingerprint)
    slot = read(ledger)["slots"][1]
    assert slot["held"] is True
    assert slot["path"] == "dags/wolkvox_codify/runs/run%201/tasks/codify/mapped/3"
    assert (slot["task"], slot["try"]) == ("codify[3]", 2)


def test_what_waited_in_the_past_is_shown(ledger: Database) -> None:
    put(ledger, timedelta(hours=1), staged_at=NOW - timedelta(hours=4))
    put(ledger, timedelta(hours=2), "pending")
    assert read(ledger)["hours"]["waiting"][-6:] == [0, 1, 1, 2, 1, 1]


def test_an_empty_ledger_is_said_to_be_empty(ledger: Database) -> None:
    page = read(ledger)
    assert page["empty"] is True
    assert page["today"]["backlog_ends_at"] == NOW.isoformat(timespec="seconds")
    put(ledger, timedelta(hours=1), "pending")
    assert read(ledger)["empty"] is False


def test_the_backlog_of_the_past_is_what_came_less_what_was_finished() -> None:
    hours = last_hours(NOW, 3)
    staged = {hours[0]: 10, hours[1]: 5}
    finished = {hours[0]: 3, hours[1]: 6, hours[2]: 2}
    assert waiting_at_ends(hours, 4, staged, finished) == [7, 6, 4]


def test_a_day_is_a_local_one() -> None:
    noon = datetime(2026, 3, 8, 17, tzinfo=timezone.utc)
    days = last_days(noon, "America/New_York", 2)
    assert [day.ends_at - day.starts_at for day in days] == [timedelta(hours=24), timedelta(hours=23)]


def test_figures_of_no_span_are_none(ledger: Database) -> None:
    assert figures(ledger.connection, "0041", [], []) == {}


def test_a_campaign_is_called_what_wolkvox_calls_it(ledger: Database) -> None:
    put(ledger, timedelta(hours=1))
    ledger.execute("INSERT INTO wolkvox.campaign VALUES ('0041', '1', 'preview', 'Cobranza marzo', 'stopped')")
    ledger.execute("INSERT INTO wolkvox.campaign VALUES ('other', '1', 'preview', 'Of another operation', 'started')")
    (shown,) = read(ledger)["campaigns"]
    assert (shown["name"], shown["status"]) == ("Cobranza marzo", "stopped")


def test_the_page_says_since_when_alerts_do_not_reach_somebody(ledger: Database) -> None:
    assert "undelivered" not in findings(read(ledger))
    for recipient, minutes in (("ana@example.com", 5), ("luis@example.com", 90)):
        since = NOW - timedelta(minutes=minutes)
        mark_undelivered(ledger.connection, "0041", "wolkvox_codify", recipient, "451 later", since)
    assert findings(read(ledger))["undelivered"]["since"] == (NOW - timedelta(minutes=90)).isoformat()
    assert "ana@example.com" not in str(read(ledger)), "the page names nobody"


@pytest.mark.parametrize(
    ("wake", "staged_at", "since", "is_told"),
    [
        (5, "now()", "NULL", True),
        (5, "now()", "now()", False),
        (5, "NULL", "NULL", False),  # no stage has ended yet
        (None, "now()", "NULL", False),  # no trigger polls: nobody would count
        (5, "now() + interval '1 hour'", "NULL", False),  # of a clock that was ahead
    ],
)
def test_the_page_says_when_nobody_can_count_the_warehouse(
    ledger: Database, wake: float | None, staged_at: str, since: str, is_told: bool
) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.watch (dag_id, cron, wake_seconds, polled_at, staged_at, since, row_count)"
        f" VALUES ('wolkvox_codify', '*/15 * * * *', %s, now(), {staged_at}, {since}, 0)",
        wake,
    )
    found = findings(read(ledger))
    assert ("uncounted" in found) is is_told
    ((noted,),) = ledger.rows("SELECT staged_at FROM wolkvox.watch")
    if is_told:
        assert datetime.fromisoformat(found["uncounted"]["since"]) == noted


def test_the_last_hour_is_compared_with_the_same_hour_of_yesterday_and_of_last_week(ledger: Database) -> None:
    for days, minutes in ((0, 4), (0, 5), (0, 60), (1, 3), (1, 20), (7, 10), (2, 1)):
        put(ledger, timedelta(days=days, minutes=30), contacted_at=NOW - timedelta(days=days, minutes=30 + minutes))
    put(ledger, timedelta(hours=2))
    page = read(ledger)
    assert {name: page["fresh"][name] for name in ("records", "p50", "worst")} == {
        "records": 3,
        "p50": 300.0,
        "worst": 3_600.0,
    }
    assert page["fresh"]["share"] == pytest.approx(2 / 3)
    assert [(one["days"], one["records"], one["p50"], one["share"]) for one in page["fresh_before"]] == [
        (1, 2, pytest.approx(690.0), 0.5),
        (7, 1, 600.0, 0.0),
    ]


def test_nothing_is_compared_where_there_was_nothing(ledger: Database) -> None:
    page = read(ledger)
    assert page["fresh"] == {"records": 0, "p50": None, "p95": None, "worst": None, "share": None}
    assert [one["share"] for one in page["fresh_before"]] == [None, None]


def test_a_lag_of_hours_is_bad_and_says_since_when(ledger: Database) -> None:
    """The contacts of two days ago come in at once: every figure is right, and nothing is well."""
    for hours in (0.2, 1, 2):
        put(ledger, timedelta(hours=hours), contacted_at=NOW - timedelta(hours=36))
    put(ledger, timedelta(hours=5))
    health = read(ledger)["health"]
    assert health["level"] == "bad"
    lag = findings(read(ledger))["lag"]
    first = next(hour for hour in last_hours(NOW) if hour.starts_at <= NOW - timedelta(hours=2) < hour.ends_at)
    assert (lag["level"], lag["since"], lag["target"]) == ("bad", first.starts_at.isoformat(), 360.0)


def end_a_run(ledger: Database, counts: str) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.run VALUES ('0041', 'wolkvox_codify', 'run', %s, %s, 'success', %s, %s, %s)",
        *(NOW, NOW, counts, NOW - timedelta(minutes=2), NOW),
    )


def test_the_target_is_the_one_that_the_last_run_noted(ledger: Database) -> None:
    put(ledger, timedelta(minutes=10), contacted_at=NOW - timedelta(minutes=30))
    assert findings(read(ledger))["lag"]["target"] == 360.0
    end_a_run(ledger, '{"lag_target": 1800, "backlog_age": 3600}')
    page = read(ledger)
    assert (page["lag_target"], page["fresh"]["share"], "lag" in findings(page)) == (1_800.0, 1.0, False)
    put(ledger, timedelta(hours=2), "pending")
    assert findings(read(ledger))["waiting"]["records"] == 1


def test_open_alerts_are_what_needs_somebody(ledger: Database) -> None:
    end_a_run(ledger, "{}")
    since = NOW - timedelta(hours=3)
    alert = (
        "INSERT INTO wolkvox.alert (operation, dag_id, alert, message, firing_since, seen_at, resolved_at)"
        " VALUES (%s, 'wolkvox_codify', %s, %s, %s, %s, %s)"
    )
    ledger.execute(alert, "0041", "opening", "Calling hours begin at 8:00.", since, NOW, None)
    ledger.execute(alert, "0041", "operations", "wolkvox_codify_secret may be gone.", since, NOW, None)
    ledger.execute(alert, "0041", "quota", "Over.", since, NOW, NOW)
    ledger.execute(alert, "other", "zone", "Of another operation.", since, NOW, None)
    health = read(ledger)["health"]
    assert health["level"] == "look"
    named = [(one["alert"], one["message"], one["since"]) for one in health["findings"]]
    assert named == [
        ("opening", "Calling hours begin at 8:00.", since.isoformat()),
        ("operations", None, since.isoformat()),  # its sentence names DAGs that the reader may not know of
    ]


def test_the_share_within_the_target_is_counted_by_campaign_and_by_channel(ledger: Database) -> None:
    for minutes, columns in (
        (5, {"channel": "sms"}),
        (7, {"channel": "sms"}),
        (1, {"campaign_id": "2", "channel": None}),
        (2, {"campaign_id": "2", "channel": "call", "state": "rejected"}),
    ):
        put(ledger, timedelta(0), contacted_at=NOW - timedelta(minutes=minutes), **columns)
    put(ledger, timedelta(days=3))
    with queries.snapshot("wolkvox_ledger") as connection:
        today = last_days(NOW, ZONE, 1)[0]
        target = timedelta(minutes=6)
        parts = queries.service_level(connection, "0041", target, today.starts_at, today.ends_at)
    described = describe_service(parts, {"1": Listed("1", "preview", "Cobranza", None)})
    assert (described["all"]["records"], described["all"]["within"]) == (3, 2)
    assert [(one["campaign_id"], one["name"], one["share"]) for one in described["campaigns"]] == [
        ("1", "Cobranza", 0.5),
        ("2", None, 1.0),
    ]
    assert [(one["channel"], one["share"]) for one in described["channels"]] == [("sms", 0.5), (None, 1.0)]


def test_the_heat_map_has_the_median_of_each_hour_of_a_weekday_on_the_operations_clock(ledger: Database) -> None:
    hour = last_hours(NOW)[-3].starts_at
    for weeks, minutes in ((0, 2), (1, 4), (2, 60), (5, 1)):
        settled = hour + timedelta(minutes=20) - timedelta(weeks=weeks)
        put(ledger, NOW - settled, contacted_at=settled - timedelta(minutes=minutes))
    put(ledger, NOW - hour, "failed")
    hours = last_hours(NOW, 28 * 24)
    with queries.snapshot("wolkvox_ledger") as connection:
        found = queries.heat(connection, "0041", ZONE, hours[0].starts_at, hours[-1].ends_at)
    local = hour.astimezone(ZoneInfo(ZONE))
    assert found == [queries.Heat(local.isoweekday(), local.hour, 240.0, 3)]
