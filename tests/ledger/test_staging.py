"""From contacts of a warehouse to records that wait, on a real ledger."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import Database
from contact_rows import NOON, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from staged import settle, stage_in, states

from wolkvox.ledger.staging import Staged, load
from wolkvox.rules.contacts import Contact
from wolkvox.rules.runs import Allowance, Run

MINUTE = timedelta(minutes=1)


@pytest.fixture
def pull(ledger: Database) -> Callable[..., Staged]:
    """Stages contacts in a run of the given name."""

    def pull(*contacts: Contact, run: str = "run", **options: Any) -> Staged:
        return stage_in(ledger.connection, contacts, run, **options)

    return pull


Pull = Callable[..., Staged]


# What comes in


def test_a_row_is_in_the_ledger_before_anything_is_sent(ledger: Database, pull: Pull) -> None:
    pull(read(comment="by chat", cod_act_2="7"))
    assert ledger.rows(
        "SELECT operation, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at"
        " FROM wolkvox.codification"
    ) == [("0041", "preview", "17", "1001", "5", "7", "by chat", NOON)]
    assert ledger.rows(
        "SELECT state, attempts, reason, response_code, response_msg, sent_at, settled_at, dag_run_id, chunk_id"
        " FROM wolkvox.codification"
    ) == [("pending", 0, None, None, None, None, None, "run", None)]


def test_a_window_pulled_twice_adds_nothing(ledger: Database, pull: Pull) -> None:
    window = [
        read(customer_id="1"),
        read(customer_id="2", comment=None),
        read(customer_id=None),
        read(customer_id=""),
        read(customer_id="\x00"),
        read(type_campaign=None, campaign_id=None, customer_id=None, cod_act=None, comment=None, contacted_at=None),
        read(contacted_at="never"),
        read(contacted_at="0001-01-01"),
        read(comment="x" * 10**6),
    ]
    first, second = pull(*window), pull(*window, run="again")
    assert (first.pulled, first.new, first.invalid, first.known) == (9, 3, 5, 1)  # null and "" are one
    assert (second.pulled, second.new, second.invalid, second.known) == (9, 0, 0, 9)
    assert states(ledger) == {"pending": 3, "invalid": 5}


def test_what_cannot_be_sent_is_kept_with_its_reason_and_never_claimed(ledger: Database, pull: Pull) -> None:
    staged = pull(read(customer_id="a\x00b"), read(contacted_at=None), read(campaign_id="x"))
    assert ledger.rows("SELECT customer_id, state, reason, chunk_id FROM wolkvox.codification ORDER BY id") == [
        ("a\N{REPLACEMENT CHARACTER}b", "invalid", "customer_id_control_characters", None),
        ("1001", "invalid", "contacted_at_missing", None),
        ("1001", "invalid", "campaign_id_not_digits", None),
    ]
    assert (staged.records, staged.waiting, staged.chunks) == (0, 0, [])


@pytest.mark.parametrize(
    "text",
    [
        "tab\there",
        "line\nline\r\nline",
        "\\N",
        "\\.",
        "back\\slash \\t \\n \\x41 \\101",
        "\"double\" 'single' $$ dollar $$",
        "%s %(x)s {x}",
        "'; DROP TABLE wolkvox.codification; --",
        "👍 ñandú 中 \N{LINE SEPARATOR} \N{RIGHT-TO-LEFT OVERRIDE}",
        "   ",
        "",
    ],
)
def test_a_text_arrives_as_it_was(ledger: Database, pull: Pull, text: str) -> None:
    pull(read(comment=text))
    assert ledger.value("SELECT comment FROM wolkvox.codification") == text


def test_numbers_in_id_columns_are_kept_as_text(ledger: Database, pull: Pull) -> None:
    pull(read(campaign_id=17, customer_id=52998123, cod_act=5.0), read(customer_id="0052998123"))
    assert ledger.rows("SELECT campaign_id, customer_id, cod_act FROM wolkvox.codification ORDER BY id") == [
        ("17", "52998123", "5"),
        ("17", "0052998123", "5"),
    ]


def test_what_waits_is_not_touched_by_any_run_that_stages(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=n) for n in range(500)), allowance=Allowance(0))
    before = ledger.rows("SELECT id, xmin::text FROM wolkvox.codification ORDER BY id")
    assert pull(read(customer_id="fresh", contacted_at=NOON + MINUTE), run="next").records == 501
    assert ledger.rows("SELECT id, xmin::text FROM wolkvox.codification WHERE id <= 500 ORDER BY id") == before


# The latest contact wins


def test_an_older_contact_of_the_same_customer_and_campaign_is_superseded(ledger: Database, pull: Pull) -> None:
    staged = pull(
        read(cod_act="late", contacted_at=NOON + MINUTE),
        read(cod_act="early", contacted_at=NOON),
        read(cod_act="other campaign", campaign_id="18"),
        read(cod_act="other type", type_campaign="predictive"),
        read(cod_act="other customer", customer_id="01001"),
    )
    assert (staged.superseded, staged.records) == (1, 4)
    assert ledger.rows("SELECT cod_act, reason, chunk_id FROM wolkvox.codification WHERE state = 'superseded'") == [
        ("early", "newer_contact", None)
    ]


def test_of_two_contacts_at_the_same_moment_the_later_row_wins(ledger: Database, pull: Pull) -> None:
    pull(read(cod_act="1"), read(cod_act="2"), read(cod_act="1"))
    assert ledger.rows("SELECT cod_act, state FROM wolkvox.codification ORDER BY id") == [
        ("1", "superseded"),
        ("2", "pending"),
    ]


def test_a_newer_contact_supersedes_what_an_earlier_run_left(ledger: Database, pull: Pull) -> None:
    pull(read())
    staged = pull(read(contacted_at=NOON + MINUTE), run="next")
    assert (staged.superseded, staged.records) == (1, 1)
    assert states(ledger) == {"superseded": 1, "pending": 1}


@pytest.mark.parametrize("became", ["coded", "sending"])
def test_a_late_row_that_is_older_than_what_was_sent_is_superseded(ledger: Database, pull: Pull, became: str) -> None:
    pull(read())
    settle(ledger, "1001", became)
    staged = pull(read(contacted_at=NOON - MINUTE), run="next")
    assert (staged.new, staged.superseded, staged.records) == (1, 1, 0)
    assert states(ledger) == {became: 1, "superseded": 1}


def test_the_warehouses_last_code_is_the_one_wolkvox_gets(ledger: Database, pull: Pull) -> None:
    """From 5 to 6, back to 5, to 6 again: each change is one call, and pulling once more is none."""
    for number, code in enumerate("565676556"):
        changed = code != "565676556"[number - 1 : number]
        staged = pull(read(cod_act=code, comment="by chat"), run=f"run {number}")
        assert (staged.new, staged.known, staged.records) == (int(changed), int(not changed), int(changed))
        settle(ledger, "1001", "coded")
    coded = "SELECT cod_act FROM wolkvox.codification WHERE state = 'coded' ORDER BY id"
    assert "".join(code for (code,) in ledger.rows(coded)) == "56567656"


def test_a_change_back_before_anything_was_sent_leaves_one_to_send(ledger: Database, pull: Pull) -> None:
    for number, code in enumerate("565"):
        pull(read(cod_act=code), run=f"run {number}")
    assert ledger.rows("SELECT cod_act FROM wolkvox.codification WHERE state = 'pending'") == [("5",)]


def test_two_contacts_of_one_second_with_two_codes_are_no_change(ledger: Database, pull: Pull) -> None:
    pull(read(cod_act="5"))
    settle(ledger, "1001", "coded")
    both = read(cod_act="5"), read(cod_act="6")
    assert pull(*both, run="next").new == 1
    settle(ledger, "1001", "coded")
    for number in range(3):
        assert pull(*both, run=f"later {number}").new == 0
    assert pull(*reversed(both), run="reversed").new == 0


def test_a_rounded_fraction_is_no_change(ledger: Database, pull: Pull) -> None:
    pull(read(contacted_at=NOON + timedelta(microseconds=499_600)))
    settle(ledger, "1001", "coded")
    assert pull(read(contacted_at=NOON + timedelta(microseconds=500_000)), run="next").known == 1


def test_contacts_of_a_warehouse_that_keeps_days_only_are_staged_as_fast(ledger: Database, pull: Pull) -> None:
    """Each of them is of the same second as all others of its day, and is compared with those that came in before."""

    def seconds(first: int, apart: timedelta) -> float:
        contacts = [read(customer_id=str(n), contacted_at=NOON + n * apart) for n in range(first, first + 10_000)]
        began = time.monotonic()
        assert pull(*contacts, run=str(first)).new == 10_000
        return time.monotonic() - began

    pull(read())
    usual = seconds(10_000, timedelta(seconds=1))
    seconds(30_000, timedelta(0))
    assert seconds(50_000, timedelta(0)) < 4 * usual + 1.0


def test_what_a_run_that_died_left_uncompared_is_compared_by_the_next_one(ledger: Database, pull: Pull) -> None:
    pull(read())
    load(ledger.connection, [read(contacted_at=NOON + MINUTE)], Run("0041", "wolkvox_codify", "dead"))
    assert pull(run="next").superseded == 1
    assert states(ledger) == {"superseded": 1, "pending": 1}
    assert ledger.value("SELECT count(*) FROM wolkvox.dedupe_backlog") == 0


def test_what_was_sent_is_never_superseded(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=state) for state in ("coded", "rejected", "sending")))
    for state in ("coded", "rejected", "sending"):
        settle(ledger, state, state)
    later = [read(customer_id=state, contacted_at=NOON + MINUTE) for state in ("coded", "rejected", "sending")]
    assert pull(*later, run="next").superseded == 0
    assert states(ledger) == {"coded": 1, "rejected": 1, "sending": 1, "pending": 3}


def test_a_row_that_cannot_be_sent_supersedes_nothing(ledger: Database, pull: Pull) -> None:
    assert pull(read(), read(contacted_at=NOON + MINUTE, cod_act=None)).superseded == 0
    assert states(ledger) == {"pending": 1, "invalid": 1}


CONTACTS = st.lists(
    st.builds(
        read,
        type_campaign=st.sampled_from(["preview", "predictive"]),
        campaign_id=st.sampled_from(["1", "2"]),
        customer_id=st.sampled_from(["1", "2", "01", None]),
        cod_act=st.sampled_from(["5", "6"]),
        contacted_at=st.integers(0, 3).map(lambda minutes: NOON + minutes * MINUTE),
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CONTACTS, min_size=1, max_size=3))
def test_in_whatever_order_contacts_arrive_the_latest_of_each_customer_waits(
    ledger: Database, pulls: list[list[Contact]]
) -> None:
    ledger.execute("TRUNCATE wolkvox.codification, wolkvox.contact_version, wolkvox.dedupe_backlog CASCADE")
    staged = [stage_in(ledger.connection, contacts, f"run {number}") for number, contacts in enumerate(pulls)]
    contacts = [contact for contacts in pulls for contact in contacts]
    latest: dict[tuple[str | None, ...], datetime] = {}
    for contact in contacts:
        if contact.reason is None and contact.contacted_at is not None:
            who = contact[1:4]
            latest[who] = max(latest.get(who, contact.contacted_at), contact.contacted_at)
    waiting = ledger.rows(
        "SELECT type_campaign, campaign_id, customer_id, contacted_at FROM wolkvox.codification WHERE state = 'pending'"
    )
    assert Counter((tuple(who), moment) for *who, moment in waiting) == Counter(latest.items())
    assert sum(states(ledger).values()) == len({contact.key for contact in contacts})
    assert staged[-1].records == staged[-1].waiting == len(latest)


# Runs that break off


def test_a_long_pull_tells_how_far_it_is(
    ledger: Database, pull: Pull, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolkvox.ledger.staging.BATCH", 2)
    monkeypatch.setattr("wolkvox.ledger.staging.LOG_EVERY", 4)
    with caplog.at_level("INFO", "wolkvox"):
        pull(*(read(customer_id=number) for number in range(8)), read(customer_id=None), read(customer_id=7))
    assert caplog.messages == [
        "4 rows pulled so far",
        "8 rows pulled so far",
        "All 10 rows pulled: 8 new, 1 that can't be sent, 1 known",
    ]


def test_what_is_loaded_is_durable_before_wolkvox_is_asked_anything(ledger: Database, pull: Pull) -> None:
    load(ledger.connection, [read()], Run("0041", "wolkvox_codify", "run"))
    assert ledger.rows("SELECT state, chunk_id FROM wolkvox.codification") == [("pending", None)]
    assert (pull(read(), run="retry").known, states(ledger)) == (1, {"pending": 1})


def test_when_the_warehouse_breaks_off_nothing_is_kept(ledger: Database) -> None:
    def broken() -> Iterable[Contact]:
        yield read()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        stage_in(ledger.connection, broken(), "run")
    assert states(ledger) == {}
