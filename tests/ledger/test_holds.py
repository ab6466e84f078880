"""What is held, released, discarded and expired, on a real ledger."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from importlib import import_module

import psycopg
import pytest
from conftest import Database
from contact_rows import read
from guarded import CAMPAIGNS, EACH_HOUR, live
from staged import WINDOW, stage_in, states

from wolkvox.cli.commands import parser
from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.holds import discard, hold_unusual, open_holds, release
from wolkvox.ledger.retention import expire
from wolkvox.ledger.runs import begin_run
from wolkvox.ledger.staging import Staged, load
from wolkvox.rules.contacts import Contact
from wolkvox.rules.guard import Guard
from wolkvox.rules.runs import Run

NOW = datetime.now(timezone.utc)
RUN = Run("0041", "wolkvox_codify", "run")
SMALL = Guard(ceiling=5)


def contacts(count: int, campaign: str = "17") -> list[Contact]:
    return [read(customer_id=f"c-{n}", campaign_id=campaign, contacted_at=NOW) for n in range(count)]


def pull(connection: Connection, pulled: list[Contact], guard: Guard = SMALL, run: Run = RUN) -> Staged:
    """Load contacts and hold what is unusual."""
    begin_run(connection, run, WINDOW, "other")
    with connection.transaction():
        staged = load(connection, pulled, run)
        hold_unusual(connection, run, staged, guard)
    return staged


def test_a_hold_says_whose_records_it_holds_how_many_and_why(ledger: Database) -> None:
    assert pull(ledger.connection, contacts(8)).held == 8
    (hold,) = open_holds(ledger.connection, "0041")
    assert (hold.operation, hold.dag_id, hold.dag_run_id, hold.records) == (*asdict(RUN).values(), 8)
    assert hold.why == [
        {"name": "ceiling", "campaigns": [["preview", "17"]], "others": 0, "figures": {"ceiling": 5, "records": 8}}
    ]
    assert ledger.rows("SELECT DISTINCT state, reason, hold_id, settled_at IS NOT NULL FROM wolkvox.codification") == [
        ("held", "held_ceiling", hold.id, True)
    ]
    assert open_holds(ledger.connection, "sales") == []


def test_nobody_sees_what_is_held_before_it_is(ledger: Database) -> None:
    with ledger.connection.transaction():
        staged = load(ledger.connection, contacts(8), RUN)
        hold_unusual(ledger.connection, RUN, staged, SMALL)
        with psycopg.connect(ledger.uri) as other:
            assert other.execute("SELECT count(*) FROM wolkvox.codification").fetchone() == (0,)
    assert states(ledger) == {"held": 8}


def test_other_campaigns_and_rows_that_cannot_be_sent_are_not_held(ledger: Database) -> None:
    live(ledger)
    pulled = [*contacts(300, "17"), *contacts(5, "18"), read(customer_id=None, campaign_id="17")]
    assert pull(ledger.connection, pulled, Guard()).held == 300
    assert ledger.rows(
        "SELECT campaign_id, state, count(*) FROM wolkvox.codification"
        " WHERE state <> 'coded' GROUP BY 1, 2 ORDER BY 1, 2"
    ) == [("17", "held", 300), ("17", "invalid", 1), ("18", "pending", 5)]


def test_what_is_usual_leaves_what_was_discarded_out_and_counts_what_was_released(ledger: Database) -> None:
    live(ledger)
    for week in (1, 2):
        lists = [read(customer_id=f"list {week}-{n}", contacted_at=NOW) for n in range(400)]
        assert pull(ledger.connection, lists, Guard(), Run("0041", "wolkvox_codify", f"run {week}")).held == 400
        age = f"interval '{7 * week} days'"
        ledger.execute(f"UPDATE wolkvox.hold SET held_at = now() - {age} WHERE id = {week}")
        ledger.execute(
            f"UPDATE wolkvox.ingest_count SET staged_at = now() - {age} WHERE staged_at > now() - '1 h'::interval"
        )
    discard(ledger.connection, 1, "Ana", "")
    again = [read(customer_id=f"d-{n}", contacted_at=NOW) for n in range(500)]
    assert pull(ledger.connection, again, Guard(), Run("0041", "wolkvox_codify", "again")).held == 500
    release(ledger.connection, 2, "Ana", "")
    later = [read(customer_id=f"e-{n}", contacted_at=NOW) for n in range(700)]
    assert pull(ledger.connection, later, Guard(), Run("0041", "wolkvox_codify", "later")).held == 0


def test_a_decision_needs_a_name_and_is_made_once(ledger: Database) -> None:
    pull(ledger.connection, contacts(8))
    with pytest.raises(BadSetting, match="name of whoever decides"):
        release(ledger.connection, 1, " ", "")
    with pytest.raises(BadSetting, match="no hold 2"):
        release(ledger.connection, 2, "Ana", "")
    assert discard(ledger.connection, 1, "Ana", "A list of last year.") == 8
    with pytest.raises(BadSetting, match="decided already"):
        release(ledger.connection, 1, "Ben", "")
    assert ledger.rows("SELECT decision, decided_by, note FROM wolkvox.hold") == [
        ("discarded", "Ana", "A list of last year.")
    ]
    assert states(ledger) == {"invalid": 8}


def test_what_is_released_is_compared_with_what_was_coded_meanwhile(ledger: Database) -> None:
    pull(ledger.connection, contacts(8))
    later = read(customer_id="c-3", contacted_at=NOW + timedelta(minutes=1))
    stage_in(ledger.connection, [later], "later")
    ledger.execute("UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE state = 'pending'")
    assert release(ledger.connection, 1, "Ana", "") == 8
    assert states(ledger) == {"coded": 1, "superseded": 1, "pending": 7}
    assert ledger.value("SELECT count(*) FROM wolkvox.dedupe_backlog") == 0


def test_a_held_contact_that_is_pulled_again_is_known(ledger: Database) -> None:
    pull(ledger.connection, contacts(8))
    again = pull(ledger.connection, contacts(8), run=Run("0041", "wolkvox_codify", "again"))
    assert (again.known, again.new, again.held) == (8, 0, 0)


def test_a_hold_that_nobody_decides_expires_with_its_records(ledger: Database) -> None:
    pull(ledger.connection, contacts(8))
    assert expire(ledger.connection, timedelta(days=31)) == (0, 0)
    ledger.execute("UPDATE wolkvox.codification SET contacted_at = contacted_at - interval '32 days'")
    assert expire(ledger.connection, timedelta(days=31)) == (8, 0)
    assert states(ledger) == {"expired": 8}
    assert ledger.rows("SELECT decision, decided_by FROM wolkvox.hold") == [("expired", "guard")]


def test_a_run_after_hours_without_one_may_bring_what_they_missed(ledger: Database) -> None:
    live(ledger)
    ledger.execute("UPDATE wolkvox.watch SET staged_at = now() - interval '24 hours'")
    assert pull(ledger.connection, contacts(20 * EACH_HOUR * len(CAMPAIGNS)), Guard()).held == 0


def command(*words: str) -> int:
    """Run ``python -m wolkvox`` with these words in this process; returns its exit status."""
    arguments = parser().parse_args(words)
    return int(import_module(f"wolkvox.cli.{arguments.command}").run(arguments))


def test_a_person_lists_releases_and_discards_by_command(ledger: Database, capsys: pytest.CaptureFixture[str]) -> None:
    pull(ledger.connection, contacts(8))
    pull(ledger.connection, contacts(6, "18"), run=Run("0041", "wolkvox_codify", "next"))
    assert command("holds") == 0
    first, why, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("Hold 1: 8 records of 0041 since 2")
    assert why == ("     8 new records came with one run, and the ceiling is 5 (held: campaign preview 17)")
    assert command("release", "1", "--by", "Ana", "--note", "A list of today.") == 0
    assert command("discard", "2", "--by", "Ana", "--note", "A list of last year.") == 0
    assert command("holds") == 0
    assert capsys.readouterr().out.splitlines() == [
        "Hold 1: 8 records wait to be sent.",
        "Hold 2: 6 records are discarded, they are never sent.",
        "Nothing is held.",
    ]
    assert states(ledger) == {"pending": 8, "invalid": 6}


def test_a_decision_without_a_name_or_a_note_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("release", "1", "--by", "Ana"), ("discard", "1", "--note", "It is wrong.")):
        with pytest.raises(SystemExit):
            command(*words)
    assert "required: --note" in capsys.readouterr().err
