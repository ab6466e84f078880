"""From contacts to chunks, on a real ledger."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from conftest import Database
from contact_rows import NOON, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wolkvox.ledger.connection import connected
from wolkvox.ledger.faults import begin_outage
from wolkvox.ledger.reports import tally
from wolkvox.ledger.staging import Allowance, Pace, Resend, Run, Staged, stage
from wolkvox.rules.contacts import Contact
from wolkvox.rules.patience import Patience

EVER = timedelta(days=36_500)
MINUTE = timedelta(minutes=1)
EVERLASTING = Pace(seconds=1e6, seconds_per_call=0.05)


@pytest.fixture
def pull(ledger: Database) -> Callable[..., Staged]:
    """Stages contacts in a run of the given name."""

    def pull(*contacts: Contact, run: str = "run", **options: Any) -> Staged:
        return stage_in(ledger.connection, contacts, run, **options)

    return pull


def stage_in(connection: Any, contacts: Iterable[Contact], run: str, **options: Any) -> Staged:
    usual: dict[str, Any] = {"ask": Allowance, "pace": EVERLASTING, "expire_after": EVER, "most_chunks": 1_000}
    return stage(connection, contacts, run=Run("0041", "wolkvox_codify", run), **{**usual, **options})


def allow(records: int | None = None, codes: Sequence[str] | None = None) -> Callable[[], Allowance]:
    return lambda: Allowance(records, None if codes is None else frozenset(codes))


def customers(ledger: Database, state: str) -> list[str]:
    """The customers in a state, in the order in which they were staged."""
    rows = ledger.rows("SELECT customer_id FROM wolkvox.codification WHERE state = %s ORDER BY id", state)
    return [row[0] for row in rows]


def states(ledger: Database) -> dict[str, int]:
    return dict(ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))


def settle(ledger: Database, customer: str, state: str, reason: str | None = None) -> None:
    """Do to a customer's pending record what the codify loop does."""
    ledger.execute(
        "UPDATE wolkvox.codification SET state = %s, reason = %s, attempts = 1, response_code = '500',"
        " response_msg = 'oops', settled_at = now() WHERE customer_id = %s AND state IN ('pending', 'sending')",
        state,
        reason,
        customer,
    )


Pull = Callable[..., Staged]


# What comes in


def test_a_row_is_in_the_ledger_before_anything_is_sent(ledger: Database, pull: Pull) -> None:
    staged = pull(read(comment="by chat", cod_act_2="7"))
    assert ledger.rows(
        "SELECT operation, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at"
        " FROM wolkvox.codification"
    ) == [("0041", "preview", "17", "1001", "5", "7", "by chat", NOON)]
    assert ledger.rows(
        "SELECT state, attempts, reason, response_code, response_msg, sent_at, settled_at, dag_run_id, chunk_id"
        " FROM wolkvox.codification"
    ) == [("pending", 0, None, None, None, None, None, "run", staged.chunks[0].chunk_id)]


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
    assert (first.pulled, first.new, first.invalid, first.known) == (9, 2, 6, 1)  # null and "" are one
    assert (second.pulled, second.new, second.invalid, second.known) == (9, 0, 0, 9)
    assert states(ledger) == {"pending": 2, "invalid": 6}


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


def test_chunks_mix_campaigns_and_are_dealt_newest_first(ledger: Database, pull: Pull) -> None:
    staged = pull(
        *(
            read(customer_id=number, campaign_id=str(number % 1_000), contacted_at=NOON - timedelta(seconds=number))
            for number in range(10_001)
        )
    )
    assert [(chunk.number, chunk.records) for chunk in staged.chunks] == [(1, 5_001), (2, 5_000)]
    assert (staged.records, staged.waiting, staged.campaigns) == (10_001, 10_001, 1_000)
    for chunk in staged.chunks:
        found = ledger.rows(
            "SELECT customer_id::int FROM wolkvox.codification WHERE chunk_id = %s AND chunk_number = %s"
            " ORDER BY contacted_at DESC",
            chunk.chunk_id,
            chunk.number,
        )
        assert [customer for (customer,) in found] == list(range(chunk.number - 1, 10_001, 2))


def test_a_run_takes_up_no_more_than_it_can_send_in_its_time(ledger: Database, pull: Pull) -> None:
    contacts = [read(customer_id=n, contacted_at=NOON - timedelta(seconds=n)) for n in range(100)]
    staged = pull(*contacts, pace=Pace(seconds=10.0, seconds_per_call=0.5))
    assert (staged.records, staged.waiting) == (40, 100)
    assert {chunk.until[-6:] for chunk in staged.chunks} == {"+00:00"}
    assert ledger.value("SELECT max(customer_id::int) FROM wolkvox.codification WHERE chunk_id IS NOT NULL") == 39


def test_what_a_run_does_not_take_up_is_not_touched(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=n) for n in range(500)), ask=allow(0))
    before = ledger.rows("SELECT id, xmin::text FROM wolkvox.codification ORDER BY id")
    assert pull(read(customer_id="fresh", contacted_at=NOON + MINUTE), run="next", ask=allow(1)).records == 1
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
    def die() -> Allowance:
        raise ConnectionError

    pull(read())
    with pytest.raises(ConnectionError):
        pull(read(contacted_at=NOON + MINUTE), run="dead", ask=die)
    assert pull(run="next").superseded == 1
    assert states(ledger) == {"superseded": 1, "pending": 1}
    assert ledger.value("SELECT count(*) FROM wolkvox.uncompared") == 0


def test_what_was_sent_is_never_superseded(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=state) for state in ("coded", "rejected", "sending")))
    for state in ("coded", "rejected", "sending"):
        settle(ledger, state, state)
    later = [read(customer_id=state, contacted_at=NOON + MINUTE) for state in ("coded", "rejected", "sending")]
    assert pull(*later, run="next").superseded == 0
    assert states(ledger) == {"coded": 1, "rejected": 1, "sending": 1, "pending": 3}


def test_a_row_that_cannot_be_sent_supersedes_nothing(ledger: Database, pull: Pull) -> None:
    assert pull(read(), read(contacted_at=NOON + MINUTE, comment="\x00")).superseded == 0
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
    ledger.execute("TRUNCATE wolkvox.codification, wolkvox.changed, wolkvox.uncompared CASCADE")
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
    assert staged[-1].records == sum(chunk.records for chunk in staged[-1].chunks) == len(latest)


# What earlier runs left


def test_the_next_run_takes_up_what_is_pending_and_nothing_else(ledger: Database, pull: Pull) -> None:
    names = ["pending", "failed", "coded", "rejected", "sending"]
    pull(*(read(customer_id=name) for name in names))
    for name in names:
        settle(ledger, name, name, "unknown_timeout")
    staged = pull(run="next")
    assert (staged.pulled, staged.records, staged.waiting) == (0, 1, 1)
    assert ledger.rows(
        "SELECT customer_id, attempts, reason, dag_id, dag_run_id FROM wolkvox.codification WHERE chunk_id = ANY(%s)",
        [chunk.chunk_id for chunk in staged.chunks],
    ) == [("pending", 1, "unknown_timeout", "wolkvox_codify", "next")]


def test_a_record_that_was_put_off_waits_for_its_turn(ledger: Database, pull: Pull) -> None:
    pull(read(customer_id="1"), read(customer_id="2"), ask=allow(0))
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour' WHERE customer_id = '1'")
    assert (pull(run="next").records, pull(run="next").waiting) == (1, 2)
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() - interval '1 second' WHERE customer_id = '1'")
    assert pull(run="later").records == 2


def test_a_record_that_died_with_its_task_each_time_is_given_up(ledger: Database, pull: Pull) -> None:
    pull(read(customer_id="1"), read(customer_id="2"), ask=allow(0))
    ledger.execute("UPDATE wolkvox.codification SET attempts = 8, reason = 'unknown_crash' WHERE customer_id = '1'")
    staged = pull(run="next")
    assert (staged.given_up, staged.records) == (1, 1)
    assert ledger.rows("SELECT customer_id, reason FROM wolkvox.codification WHERE state = 'failed'") == [
        ("1", "unknown_crash")
    ]


PARK = (
    "INSERT INTO wolkvox.parked (operation, type_campaign, campaign_id, reason, since, until)"
    " VALUES ('0041', 'preview', '666', 'not_found', now(), now() + %s::interval)"
)


def test_a_parked_campaign_is_left_alone_and_the_others_go_on(ledger: Database, pull: Pull) -> None:
    ledger.execute(PARK, "10 minutes")
    dead = [read(customer_id=n, campaign_id="666", contacted_at=NOON + MINUTE) for n in range(50)]
    staged = pull(*dead, read(customer_id="well"))
    assert (staged.records, staged.probes, staged.waiting) == (1, 0, 51)


def test_when_its_pause_is_over_three_records_probe_it_and_the_pause_grows(ledger: Database, pull: Pull) -> None:
    ledger.execute(PARK, "-1 seconds")
    dead = [read(customer_id=n, campaign_id="666", contacted_at=NOON - n * MINUTE) for n in range(50)]
    staged = pull(*dead, read(customer_id="well", contacted_at=NOON - 99 * MINUTE))
    assert (staged.records, staged.probes) == (4, 3)
    taken = ledger.rows("SELECT customer_id FROM wolkvox.codification WHERE chunk_id IS NOT NULL ORDER BY id")
    assert taken == [("0",), ("1",), ("49",), ("well",)]
    pauses = []
    for _ in range(8):
        pauses.append(
            ledger.value("SELECT round(extract(epoch FROM until - clock_timestamp()) / 60) FROM wolkvox.parked")
        )
        ledger.execute("UPDATE wolkvox.parked SET until = now() - interval '1 second'")
        assert pull(run="next").probes == 3
    assert pauses == [30, 60, 120, 240, 480, 480, 480, 480]


def test_a_parked_campaign_of_which_nothing_waits_is_free_again(ledger: Database, pull: Pull) -> None:
    ledger.execute(PARK, "-1 seconds")
    pull(read())
    assert ledger.value("SELECT count(*) FROM wolkvox.parked") == 0


def test_in_an_outage_nothing_is_taken_up_but_one_record_that_tries(ledger: Database, pull: Pull) -> None:
    begin_outage(ledger.connection, "0041", 7, ("dag", "run"), "overloaded_503", "words", Patience())
    contacts = [read(customer_id=n, contacted_at=NOON - n * MINUTE) for n in range(50)]
    assert pull(*contacts, ask=lambda: Allowance(outage=True)).records == 0
    staged = pull(run="next", ask=lambda: Allowance(outage=True, probe=True))
    assert (staged.records, staged.probes, len(staged.chunks)) == (1, 1, 1)
    assert pull(run="next", ask=lambda: Allowance(0, outage=True, probe=True)).records == 0
    assert ledger.rows("SELECT probes, round(extract(epoch FROM until - now())) FROM wolkvox.outage") == [(1, 120)]


def test_a_run_whose_stage_is_cleared_begins_anew(ledger: Database, pull: Pull) -> None:
    window = [read(customer_id=name) for name in ("coded", "failed", "waiting", "rejected")]
    assert pull(*window).records == 4
    for state in ("coded", "failed", "rejected"):
        settle(ledger, state, state)
    again = pull(*window)
    assert (again.records, len(again.chunks)) == (1, 1)


def test_with_too_few_calls_left_the_newest_contacts_go_first(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=minute, contacted_at=NOON + minute * MINUTE) for minute in range(6)), ask=allow(0))
    staged = pull(read(customer_id="newest", contacted_at=NOON + 9 * MINUTE), run="next", ask=allow(3))
    assert (staged.waiting, staged.records) == (7, 3)
    assert ledger.rows(
        "SELECT customer_id FROM wolkvox.codification WHERE chunk_id IS NOT NULL ORDER BY contacted_at DESC"
    ) == [("newest",), ("5",), ("4",)]
    assert customers(ledger, "pending") == ["0", "1", "2", "3", "4", "5", "newest"]


def test_without_a_call_left_everything_waits(ledger: Database, pull: Pull) -> None:
    staged = pull(read(), ask=allow(0))
    assert (staged.new, staged.waiting, staged.records, staged.chunks) == (1, 1, 0, [])
    assert states(ledger) == {"pending": 1}


def test_chunks_beyond_what_a_run_may_map_wait_for_the_next_run(ledger: Database, pull: Pull) -> None:
    staged = pull(*(read(customer_id=number) for number in range(10_007)), most_chunks=1)
    assert (len(staged.chunks), staged.records, staged.waiting) == (2, 10_000, 10_007)
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE chunk_id IS NULL AND state = 'pending'") == 7
    assert pull(run="next").records == 10_007


def test_another_operations_contacts_are_let_be(ledger: Database, pull: Pull) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, cod_act,"
        " contacted_at) VALUES (gen_random_uuid(), '0042', 'preview', '17', '1001', '5', %s)",
        NOON - timedelta(days=1),
    )
    staged = pull(read(), expire_after=timedelta(0), ask=allow(codes=["9"]))
    assert (staged.records, staged.waiting) == (0, 0)
    assert ledger.rows("SELECT state FROM wolkvox.codification WHERE operation = '0042'") == [("pending",)]


def test_what_waited_too_long_expires_in_sight(ledger: Database, pull: Pull) -> None:
    ages = {"coded": 40, "failed": 40, "pending": 32, "young": 30}
    now = ledger.value("SELECT now()")
    for name, days in ages.items():
        pull(read(customer_id=name, contacted_at=now - timedelta(days=days)), ask=allow(0))
        if name in ("coded", "failed"):
            settle(ledger, name, name)
    staged = pull(run="next", expire_after=timedelta(days=31))
    assert (staged.expired, staged.waiting, staged.records) == (1, 1, 1)
    assert customers(ledger, "expired") == ["pending"]
    assert customers(ledger, "failed") == ["failed"]
    assert customers(ledger, "coded") == ["coded"]
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE state = 'expired' AND settled_at IS NULL") == 0


def test_a_code_the_operation_does_not_have_is_invalid(ledger: Database, pull: Pull) -> None:
    staged = pull(read(customer_id="1", cod_act="5"), read(customer_id="2", cod_act="05"), ask=allow(codes=["5"]))
    assert (staged.codes_unknown, staged.records) == (1, 1)
    assert ledger.rows("SELECT customer_id, reason FROM wolkvox.codification WHERE state = 'invalid'") == [
        ("2", "cod_act_unknown")
    ]


def test_what_a_run_retires_is_not_counted_among_what_it_sends(ledger: Database, pull: Pull) -> None:
    now = ledger.value("SELECT now()")
    left = {"superseded": now, "expired": now - timedelta(days=40), "code": now}
    pull(*(read(customer_id=name, cod_act=name, contacted_at=moment) for name, moment in left.items()))
    staged = pull(
        read(customer_id="superseded", contacted_at=now + MINUTE),
        run="next",
        expire_after=timedelta(days=31),
        ask=allow(codes=["5", "superseded", "expired"]),
    )
    assert (staged.superseded, staged.expired, staged.codes_unknown, staged.records) == (1, 1, 1, 1)
    assert tally(ledger.connection, "next", staged.chunks[0].chunk_id).states == {"pending": 1}


# Offered again


@pytest.mark.parametrize(
    ("kind", "reopened"),
    [
        ("failed", ["timeout", "overload"]),
        ("rejected", ["code"]),
        ("unknown_timeout", ["timeout"]),
        ("refused_422", ["code"]),
        ("cod_act_unknown", ["unknown code"]),
        ("invalid", ["unknown code"]),
        ("coded", []),
        ("nothing_like_it", []),
    ],
)
def test_settled_records_of_a_kind_are_offered_again(
    ledger: Database, pull: Pull, kind: str, reopened: list[str]
) -> None:
    outcomes = {
        "timeout": ("failed", "unknown_timeout"),
        "overload": ("failed", "overloaded_500"),
        "code": ("rejected", "refused_422"),
        "done": ("coded", None),
        "unknown code": ("invalid", "cod_act_unknown"),
        "flawed": ("invalid", "comment_too_long"),
    }
    pull(*(read(customer_id=name) for name in outcomes))
    for name, (state, reason) in outcomes.items():
        settle(ledger, name, state, reason)
    staged = pull(run="next", ask=allow(0), resend=Resend(kind, NOON, NOON + MINUTE))
    assert staged.reopened == len(reopened)
    assert customers(ledger, "pending") == reopened
    assert customers(ledger, "coded") == ["done"]


def test_what_was_answered_before_is_kept(ledger: Database, pull: Pull) -> None:
    pull(read())
    settle(ledger, "1001", "rejected", "refused_422")
    settled_at = ledger.value("SELECT settled_at FROM wolkvox.codification")
    assert pull(run="next", resend=Resend("rejected", NOON, NOON + MINUTE)).records == 1
    assert ledger.rows(
        "SELECT record.state, record.attempts, record.reason, record.response_code, record.response_msg,"
        " answer.state, answer.attempts, answer.reason, answer.response_code, answer.response_msg, answer.settled_at"
        " FROM wolkvox.answer JOIN wolkvox.codification AS record ON record.id = answer.codification_id"
    ) == [("pending", 0, None, None, None, "rejected", 1, "refused_422", "500", "oops", settled_at)]


def test_only_the_windows_records_are_offered_again(ledger: Database, pull: Pull) -> None:
    for minute in range(4):
        pull(read(customer_id=minute, contacted_at=NOON + minute * MINUTE))
        settle(ledger, str(minute), "rejected")
    pull(run="next", resend=Resend("rejected", NOON + MINUTE, NOON + 3 * MINUTE))
    assert customers(ledger, "pending") == ["1", "2"]


def test_an_older_contact_is_not_offered_again_after_a_newer_one_was_coded(ledger: Database, pull: Pull) -> None:
    pull(read())
    settle(ledger, "1001", "rejected")
    pull(read(contacted_at=NOON + MINUTE))
    settle(ledger, "1001", "coded")
    assert pull(run="next", resend=Resend("rejected", NOON, NOON + MINUTE)).records == 0
    assert states(ledger) == {"superseded": 1, "coded": 1}


# Dry runs, and runs that break off


def snapshot(ledger: Database) -> dict[str, list[tuple[Any, ...]]]:
    tables = ledger.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'wolkvox' ORDER BY 1")
    return {name: ledger.rows(f"SELECT * FROM wolkvox.{name} ORDER BY 1") for (name,) in tables}


def test_a_dry_run_counts_everything_and_changes_nothing(ledger: Database, pull: Pull) -> None:
    now = ledger.value("SELECT now()")
    pull(
        *(read(customer_id=name, contacted_at=now) for name in ("failed", "rejected", "older")), read(customer_id="old")
    )
    settle(ledger, "failed", "failed")
    settle(ledger, "rejected", "rejected")
    before = snapshot(ledger)
    window = [read(customer_id="new", contacted_at=now), read(customer_id=None), read(customer_id="old")]
    options: dict[str, Any] = {
        "run": "dry",
        "resend": Resend("rejected", now, now + MINUTE),
        "expire_after": now - NOON - MINUTE,
    }
    newer = read(customer_id="older", contacted_at=now + MINUTE)
    dry = pull(*window, newer, keep=False, **options)
    assert snapshot(ledger) == before
    assert dry.counts() == {
        "pulled": 4,
        "new": 2,
        "invalid": 1,
        "known": 1,
        "superseded": 1,
        "expired": 1,
        "codes_unknown": 0,
        "given_up": 0,
        "reopened": 1,
        "waiting": 3,
        "records": 3,
        "probes": 0,
        "campaigns": 1,
    }
    assert pull(*window, newer, **options).counts() == dry.counts()


def test_a_long_pull_tells_how_far_it_is(
    ledger: Database, pull: Pull, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolkvox.ledger.staging.BATCH", 2)
    monkeypatch.setattr("wolkvox.ledger.staging.TELL_EVERY", 4)
    with caplog.at_level("INFO", "wolkvox"):
        pull(*(read(customer_id=number) for number in range(8)), read(customer_id=None), read(customer_id=7))
    assert caplog.messages == [
        "4 rows pulled so far",
        "8 rows pulled so far",
        "All 10 rows pulled: 8 new, 1 that can't be sent, 1 known; choosing what is sent now",
    ]


def test_when_the_vendor_does_not_tell_the_contacts_are_staged_and_unclaimed(ledger: Database, pull: Pull) -> None:
    def refuse() -> Allowance:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        pull(read(), ask=refuse)
    assert ledger.rows("SELECT state, chunk_id FROM wolkvox.codification") == [("pending", None)]
    assert (pull(read(), run="retry").known, states(ledger)) == (1, {"pending": 1})


def test_when_the_warehouse_breaks_off_nothing_is_kept(ledger: Database) -> None:
    def broken() -> Iterable[Contact]:
        yield read()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        stage_in(ledger.connection, broken(), "run")
    assert states(ledger) == {}


def test_two_runs_at_once_claim_every_contact_for_exactly_one_of_them(ledger: Database) -> None:
    contacts = [read(customer_id=number) for number in range(3_000)]
    staged: list[Staged] = []
    together = Barrier(2)

    def run(name: str) -> None:
        with connected("wolkvox_ledger") as connection:
            together.wait()
            staged.append(stage_in(connection, contacts, name))

    threads = [Thread(target=run, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.new for each in staged) == 3_000
    assert states(ledger) == {"pending": 3_000}
    claimed = dict(ledger.rows("SELECT chunk_id, count(*) FROM wolkvox.codification GROUP BY chunk_id"))
    (last,) = [each for each in staged if {chunk.chunk_id for chunk in each.chunks} == claimed.keys()]
    assert sum(claimed.values()) == last.records == 3_000
