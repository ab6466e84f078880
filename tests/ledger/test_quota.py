"""The day's calls: never one too many, over every task that shares the ledger, and the rest the next day."""

import time
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from conftest import Database
from crew import AT_ONCE, Crew, connect, fill, stage, states, verdict, wait_until
from sandbox_server import SandboxServer

from wolkvox.ledger.connection import Connection
from wolkvox.ledger.quota import BLOCK, BlockQuota, QuotaRules, account_of, align, release_block, reserve
from wolkvox.rules.chunks import BATCH
from wolkvox.rules.runs import Chunk

# Where it is today, and where it is already tomorrow: 26 hours apart.
TODAY, TOMORROW = "Etc/GMT+12", "Etc/GMT-14"


def five_hundred_left(sandbox: SandboxServer, **extra: Any) -> None:
    """Half of one licence's requests were made by somebody else."""
    sandbox.control(licenses=1, quota_used=500, day="2026-03-02")
    connect(sandbox, **{"licenses": 1, "quota_timezone": TODAY, **extra})


def the_next_day(sandbox: SandboxServer, **extra: Any) -> None:
    sandbox.control(day="2026-03-03")
    connect(sandbox, **{"licenses": 1, "quota_timezone": TOMORROW, **extra})


def send(crew: Crew, chunks: list[Chunk]) -> list[dict[str, Any]]:
    return [worker.tally() for worker in [crew.codify(chunk) for chunk in chunks]]


def coded_customers(ledger: Database) -> set[str]:
    return {row[0] for row in ledger.rows("SELECT customer_id FROM wolkvox.codification WHERE state = 'coded'")}


def customers(first: int, last: int) -> set[str]:
    return {f"customer-{n}" for n in range(first, last + 1)}


def test_500_calls_today_for_1200_contacts_and_the_rest_tomorrow(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    five_hundred_left(sandbox)
    fill(warehouse, 1_200)
    chunks, counts = stage()
    tallies = send(crew, chunks)
    assert sandbox.stats()["calls"] == 500
    assert sandbox.stats()["quota_used"] == 1_000
    assert set(sandbox.stats()["calls_by_status"]) == {"0", "202"}
    assert states(ledger) == {"coded": 499, "pending": 701}
    assert coded_customers(ledger) <= customers(1, 499 + 2 * BATCH), "the newest, but for what a worker had in hand"

    summary, complaints = verdict("run", counts, tallies)
    assert complaints == []
    resets_at = datetime.now(ZoneInfo(TODAY)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert (summary["stopped"], summary["waiting"], summary["quota_left"]) == ("quota", 701, 0)
    assert datetime.fromisoformat(summary["quota_resets_at"]) == resets_at
    assert datetime.fromisoformat(summary["backlog_gone_at"]) == resets_at

    assert stage("later that day")[1]["records"] == 0
    assert sandbox.stats()["calls"] == 500

    the_next_day(sandbox)
    send(crew, stage("tomorrow")[0])
    assert states(ledger) == {"coded": 1_200}
    assert sandbox.stats()["calls"] == 500 + 702
    assert set(sandbox.stats()["calls_by_status"]) == {"0", "202"}


def test_a_run_that_hands_its_records_to_another_ones_workers_adds_up(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, licenses=1)
    fill(warehouse, 40)
    first, staged = stage("first")
    fill(warehouse, 10, first=41)
    second, staged_again = stage("second")
    tallies = send(crew, first)
    assert (second, staged_again["handed_over"]) == ([], 50)
    summary, complaints = verdict("first", staged, tallies)
    assert (summary["records"], summary["moved"], summary["coded"], complaints) == (40, 0, 50, [])
    summary, complaints = verdict("second", staged_again, [])
    assert (summary["records"], summary["coded"], summary["waiting"], complaints) == (50, 0, 0, [])
    assert ledger.value("SELECT requests FROM wolkvox.quota") == sandbox.stats()["calls"] == 52


@pytest.mark.parametrize("extra", [{"licenses": 1}, {"licenses": None}])
def test_two_runs_and_one_by_hand_at_once_make_500_calls_together(
    extra: dict[str, Any], ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    five_hundred_left(sandbox, **extra)
    sandbox.control(latency=0.002)
    fill(warehouse, 400)
    first = crew.codify(stage("first")[0][0])
    fill(warehouse, 400, first=401)
    second, _ = stage("second")
    fill(warehouse, 400, first=801)
    by_hand, _ = stage("by hand")
    workers = [first, *(crew.codify(chunk) for chunk in (*second, *by_hand))]
    for worker in workers:
        worker.tally()
    stats = sandbox.stats()
    assert (stats["calls"], stats["quota_used"]) == (500, 1_000)
    assert stats["peak_in_flight"] <= 2
    assert set(stats["calls_by_status"]) == {"0", "202"}
    assert states(ledger) == {"coded": 497, "pending": 703}
    assert set(stats["calls_per_record"].values()) == {1}


def test_retries_count_too(ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew) -> None:
    sandbox.control(
        licenses=1,
        quota_used=900,
        faults={f"customer-{n}": [{"kind": "status", "status": 429}] for n in range(1, 201, 4)},
    )
    connect(sandbox, licenses=1)
    fill(warehouse, 200)
    chunks, _ = stage()
    for worker in [crew.codify(chunk, request_retries=AT_ONCE) for chunk in chunks]:
        worker.tally()
    assert sandbox.stats()["calls"] == 100
    assert set(sandbox.stats()["calls_by_status"]) == {"0", "202", "429"}
    assert ledger.value("SELECT requests FROM wolkvox.quota") == 100


def test_when_others_used_the_day_up_the_vendor_says_so_once_and_nobody_asks_again(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, licenses=1, preflight=False)
    sandbox.control(licenses=1, quota_used=900)
    fill(warehouse, 200)
    chunks, counts = stage()
    tallies = [crew.codify(chunk).tally() for chunk in chunks]
    assert [tally["stopped"] for tally in tallies] == ["quota", "quota"]
    assert states(ledger) == {"coded": 100, "pending": 100}
    assert sandbox.stats()["calls_by_status"] == {"202": 100, "403": 1}
    assert ledger.value("SELECT max(attempts) FROM wolkvox.codification WHERE state = 'pending'") == 0
    summary, complaints = verdict("run", counts, tallies)
    assert (summary["stopped"], summary["waiting"], complaints) == ("quota", 100, [])


def test_a_token_info_that_is_refused_for_the_quota_ends_the_day(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, licenses=1)
    sandbox.control(licenses=1, quota_used=1_000)
    fill(warehouse, 10)
    assert stage()[1]["records"] == 0
    assert stage("again")[1]["records"] == 0
    assert sandbox.stats()["calls_by_status"] == {"403": 1}
    assert states(ledger) == {"pending": 10}


def test_a_killed_task_wastes_no_more_than_a_block_of_the_day(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, licenses=1, preflight=False, call_timeout=2)
    sandbox.control(latency=0.01)
    fill(warehouse, 100)
    chunk, _ = stage()[0]
    worker = crew.codify(chunk)
    wait_until(lambda: sandbox.stats()["calls"] > 5)
    worker.kill()
    crew.codify(chunk, try_number=2).tally()
    wasted = ledger.value("SELECT requests FROM wolkvox.quota") - sandbox.stats()["calls"]
    assert 0 <= wasted <= BLOCK


def test_at_midnight_what_is_left_of_the_block_goes_back_to_the_day_it_was_taken_from(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, datetime(2026, 3, 1, 23, 59, 59, 700_000, tzinfo=timezone.utc))
    quota = BlockQuota(lambda work: work(ledger.connection), QuotaRules("0041", 1_000, 0, "UTC"), 100)
    assert [quota.acquire() for _ in range(7)] == [True] * 7
    at(monkeypatch, datetime(2026, 3, 2, tzinfo=timezone.utc))
    time.sleep(0.4)
    assert quota.acquire()
    used = "SELECT day, requests FROM wolkvox.quota ORDER BY day"
    assert ledger.rows(used) == [(date(2026, 3, 1), 7), (date(2026, 3, 2), BLOCK)]
    quota.release()
    quota.close()
    assert ledger.rows(used) == [(date(2026, 3, 1), 7), (date(2026, 3, 2), 0)]


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let the ledger's clock say so."""
    monkeypatch.setattr("wolkvox.ledger.quota.now_of", lambda _: moment)


def test_a_workers_own_clock_decides_nothing(
    ledger: Database, sandbox: SandboxServer, warehouse: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose clock is a day ahead shares the day of the others."""
    real = datetime

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.now(tz) + timedelta(days=1)

    for module in ("wolkvox.ledger.quota", "wolkvox.tasks.verdict"):
        monkeypatch.setattr(f"{module}.datetime", Ahead)
    quotas = [BlockQuota(lambda work: work(ledger.connection), QuotaRules("0041", 60, 0, "UTC"), 60) for _ in range(2)]
    monkeypatch.setattr("wolkvox.ledger.quota.datetime", real)
    assert sum(quota.acquire() for quota in quotas for _ in range(60)) == 60
    assert ledger.value("SELECT count(*) FROM wolkvox.quota") == 1


def test_asking_for_a_block_or_giving_it_back_once_more_changes_nothing(ledger: Database) -> None:
    """Whoever lost the ledger's answer says it again."""
    rules, name = QuotaRules("0041", 1_000, 0, "UTC"), uuid4()
    blocks = [reserve(ledger.connection, rules, BLOCK, name=name) for _ in range(3)]
    assert ([block.requests for block in blocks], used(ledger)) == ([BLOCK] * 3, BLOCK)
    for _ in range(3):
        release_block(ledger.connection, rules, blocks[0], 14)
    assert used(ledger) == BLOCK - 14
    assert ledger.value("SELECT count(*) FROM wolkvox.reservation") == 0


def test_no_statement_counts_twice_when_its_answer_is_lost(ledger: Database) -> None:
    def run(work: Any) -> Any:
        work(ledger.connection)  # it was done, and the connection ended before that was told
        return work(ledger.connection)

    quota = BlockQuota(run, QuotaRules("0041", 100, 0, "UTC"), 100)
    assert [quota.acquire() for _ in range(33)] == [True] * 33
    quota.close()
    assert used(ledger) == 33


def used(ledger: Database) -> int:
    """Today's requests."""
    return int(ledger.value("SELECT requests FROM wolkvox.quota"))


def test_no_block_is_larger_than_what_is_missing(ledger: Database) -> None:
    rules = QuotaRules("0041", 1_000, 0, "UTC")
    quota = BlockQuota(lambda work: work(ledger.connection), rules, BLOCK + 3)
    assert [quota.acquire() for _ in range(BLOCK + 3)] == [True] * (BLOCK + 3)
    assert ledger.value("SELECT requests FROM wolkvox.quota") == BLOCK + 3


def test_the_reserve_is_left_alone(ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew) -> None:
    five_hundred_left(sandbox, quota_reserve=450)
    fill(warehouse, 100)
    send(crew, stage()[0])
    assert sandbox.stats()["calls"] == 50


def left(connection: Connection, vendor_left: int | None, licenses: int | None = None) -> int | None:
    return align(connection, QuotaRules("0041", licenses, 0, "UTC"), vendor_left).left


def test_the_vendors_figure_is_not_raised_by_calls_reserved_and_not_yet_made(ledger: Database) -> None:
    rules = QuotaRules("0041", None, 0, "UTC")
    assert left(ledger.connection, 500) == 500
    assert reserve(ledger.connection, rules, BLOCK, name=uuid4()).requests == BLOCK
    assert left(ledger.connection, 495) == 480  # five of the block were made, the others are still to come
    assert left(ledger.connection, 300) == 300  # somebody else took the rest
    assert left(ledger.connection, 900) == 900  # the vendor's day has ended
    assert left(ledger.connection, 900, licenses=100) == 80  # the smaller figure wins
    assert left(ledger.connection, None) == 900


def test_operations_that_share_a_token_share_its_calls_and_a_new_token_goes_on_counting(ledger: Database) -> None:
    first, renewed, other = 1, 2, 3
    assert account_of(ledger.connection, first, "0041") == "0041"
    assert account_of(ledger.connection, first, "0043") == "0041"
    assert account_of(ledger.connection, renewed, "0041") == "0041"
    assert account_of(ledger.connection, other, "0042") == "0042"


def test_calls_of_two_operations_with_one_token_never_exceed_the_day(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.control(licenses=1, quota_used=900)
    fill(warehouse, 80)
    for operation in ("sales", "service"):
        connect(sandbox, licenses=1, wolkvox_server=operation)
        send(crew, stage(f"of {operation}")[0])
    assert sandbox.stats()["quota_used"] == 1_000
    assert ledger.rows("SELECT account, requests, request_limit FROM wolkvox.quota") == [("sales", 100, 100)]
    coded = dict(ledger.rows("SELECT operation, count(*) FROM wolkvox.codification WHERE state = 'coded' GROUP BY 1"))
    assert coded["sales"] == 80
    assert 0 < coded["service"] <= 18


@pytest.mark.parametrize("zone", [TODAY, TOMORROW, "America/Bogota", "Asia/Kathmandu"])
def test_a_day_is_the_operations_own(zone: str) -> None:
    now = datetime.now(timezone.utc)
    rules = QuotaRules("0041", 1_000, 0, zone)
    assert rules.today(now) == now.astimezone(ZoneInfo(zone)).date()
    assert timedelta(0) < rules.resets_at(now) - now <= timedelta(days=1)
    assert rules.resets_at(now).astimezone(ZoneInfo(zone)).time().isoformat() == "00:00:00"


def test_the_vendors_word_that_nothing_is_left_is_believed_for_an_hour(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    """Its day may begin at another hour than ours, and licences are bought at noon."""
    sandbox.control(licenses=1, quota_used=970)
    connect(sandbox, licenses=40)
    fill(warehouse, 171)
    send(crew, stage()[0])
    assert states(ledger) == {"coded": 29, "pending": 142}
    sandbox.control(licenses=2)
    chunks, counts = stage("soon after")
    assert (chunks, counts["waiting"], sandbox.stats()["calls"]) == ([], 142, 30)
    ledger.execute("UPDATE wolkvox.quota SET asked_at = asked_at - interval '61 minutes'")
    send(crew, stage("an hour later")[0])
    assert states(ledger) == {"coded": 171}


@pytest.mark.parametrize("ahead", ["90 seconds", "1 day", "400 days"])
def test_a_word_of_a_clock_that_was_ahead_is_not_believed(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, ahead: str
) -> None:
    sandbox.control(licenses=1, quota_used=1_000)
    connect(sandbox, licenses=40, quota_timezone=TODAY)
    fill(warehouse, 5)
    assert stage()[0] == []
    wrong = f"(asked_at + interval '{ahead}', now() + interval '{ahead}')"
    ledger.execute(f"UPDATE wolkvox.quota SET (asked_at, exhausted_at) = {wrong}")
    sandbox.control(quota_used=0)
    send(crew, stage("the clock is right again")[0])
    assert states(ledger) == {"coded": 5}


def test_an_old_word_costs_one_call_an_hour_while_it_holds(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    sandbox.control(licenses=1, quota_used=1_000)
    connect(sandbox, licenses=40)
    fill(warehouse, 5)
    for _ in range(3):
        assert stage()[0] == []
    assert sandbox.stats()["calls"] == 1
    ledger.execute(
        "UPDATE wolkvox.quota SET (asked_at, exhausted_at) ="
        " (asked_at - interval '61 minutes', exhausted_at - interval '61 minutes')"
    )
    for _ in range(3):
        assert stage()[0] == []
    assert sandbox.stats()["calls"] == 2
