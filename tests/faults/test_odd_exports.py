"""An export that is odd, partial, stale or written otherwise settles nothing; what it settles is counted and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from conftest import Database
from crew import AT_ONCE, connect, fill, stage, states, task, verdict
from export_host import Host, export, record
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.suspension import campaign_trials
from wolkvox.operators.metrics import ChunkMetrics
from wolkvox.tasks.chunk import codify_chunk

pytest_plugins = ("export_host",)

FIRST = 1_023_456_001  # of many customers' ids
WAITING = "SELECT reason, not_before IS NULL, count(*) FROM wolkvox.codification WHERE state = 'pending' GROUP BY 1, 2"
INSERT = (
    "INSERT INTO contacted_customers"
    " SELECT 'preview', '17', %s, %s, NULL, NULL, date_trunc('second', now()) - %s::interval"
)
LATER = "UPDATE wolkvox.export SET asked_at = asked_at - interval '5 minutes'"
A_DAY_LATER = "UPDATE wolkvox.codification SET staged_at = staged_at - interval '1 day', not_before = now()"


def contact(warehouse: Database, customer: str, code: str = "5", ago: str = "1 minute") -> None:
    warehouse.execute(INSERT, customer, code, ago)


def numbered(warehouse: Database, contacts: int) -> None:
    """Contacts of customers with ids of ten digits."""
    for number in range(FIRST, FIRST + contacts):
        contact(warehouse, str(number))


def run(name: str = "run", **params: Any) -> tuple[dict[str, Any], list[str]]:
    """A whole run, in this process: its summary, and why it isn't green."""
    chunks, counts = stage(name, **params)
    tallies = []
    for chunk in chunks:
        with WolkvoxHook() as wolkvox:
            tallies.append(
                codify_chunk(task(name, retry_policy=AT_ONCE), wolkvox, chunk, ChunkMetrics(chunk.operation))
            )
    return verdict(name, counts, tallies, **params)


def dotted(number: int) -> str:
    return f"{number:,}".replace(",", ".")


SPELLINGS: dict[str, Callable[[int], object]] = {
    "dots": dotted,
    "commas": lambda number: f"{number:,}",
    "blanks": lambda number: f"{number:,}".replace(",", " "),
    "hard blanks": lambda number: f"{number:,}".replace(",", "\u202f"),
    "hyphens": lambda number: f"{number:,}".replace(",", "-"),
    "a kind in front": lambda number: f"CC{number}",
    "a kind and dots": lambda number: f"C.C. {dotted(number)}",
    "a tax number": lambda number: f"Nit: {number}",
    "a JSON float": float,
    "a JSON integer": int,
    "a float as text": lambda number: f"{number}.0",
    "a mark of no width": lambda number: f"{number}\u200b",
    "an unseen mark within": lambda number: f"{str(number)[:4]}\u00ad{str(number)[4:]}",
    "a spreadsheet's quotes": lambda number: f'="{number}"',
    "an apostrophe": lambda number: f"'{number}",
    "wide digits": lambda number: "".join(chr(0xFF10 + int(digit)) for digit in str(number)),
    "zeros in front": lambda number: f"000{number}",
    "line feeds": lambda number: f" {number}\r\n",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nobody_is_a_stranger_because_the_export_writes_ids_otherwise(
    ledger: Database, warehouse: Database, odd: Host, spelling: str
) -> None:
    numbered(warehouse, 60)
    odd.body = export(*(record("", id_cliente=SPELLINGS[spelling](FIRST + n)) for n in range(60)))
    _, counts = stage()
    assert (counts["absent"], counts["not_in_campaign"], counts["records"]) == (0, 0, 60)


UNREADABLE: dict[str, Callable[[int], dict[str, object]]] = {
    "null": lambda number: record("", id_cliente=None),
    "empty": lambda number: record("", id_cliente=""),
    "in another field": lambda number: {"customer_id": str(number)},
    "stars": lambda number: record("", id_cliente=f"******{number % 10_000:04}"),
    "letters for digits": lambda number: record("", id_cliente=f"XXXXXX{number % 10_000:04}"),
    "dots for digits": lambda number: record("", id_cliente=f"…{number % 10_000:04}"),
    "hashed": lambda number: record("", id_cliente=f"#{number:x}"),
    "rounded": lambda number: record("", id_cliente=f"{number:.3E}"),
    "an object": lambda number: record("", id_cliente={"value": str(number)}),
    "a list of ids": lambda number: record("", id_cliente=[str(number)]),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("share", [1, 60])
def test_an_export_whose_records_have_no_readable_id_settles_nothing_and_is_told(
    ledger: Database, warehouse: Database, odd: Host, kind: str, share: int, caplog: pytest.LogCaptureFixture
) -> None:
    """One such record is enough: it may be of the customer who is looked for."""
    numbered(warehouse, 60)
    readable = [record(str(FIRST + n), "5") for n in range(60 - share)]
    odd.body = export(*readable, *(UNREADABLE[kind](FIRST + n) for n in range(share)))
    summary, _ = run()
    assert (states(ledger), len(odd.coded)) == ({"coded": 60}, 60)
    assert f"{share} of its 60 records have no id in the field id_cliente that can be read" in caplog.text
    assert f"17 ({share} of its 60 records have no id" in summary["news"]["firing"]["exports"]
    assert str(FIRST)[:7] not in f"{caplog.text} {summary}"


MEMBERS = [record(1), record(2)]
TIDY = export(*MEMBERS)
NOTICE = b"<br />\n<b>Notice</b>: Undefined index: x in <b>/srv/a.php</b> on line <b>3</b><br />\n"
READ = {
    "a mark of UTF-8": b"\xef\xbb\xbf" + TIDY,
    "a letter of ISO-8859-1": export(record(1, comentarios="N~u"), record(2)).replace(b"~", b"\xf1"),
    "a raw line feed": export(record(1, comentarios="one~two"), record(2)).replace(b"~", b"\n"),
    "a notice before": NOTICE + TIDY,
    "notices before and after": NOTICE + NOTICE + TIDY + NOTICE,
    "a code that is a float": export(*MEMBERS, code=200.0),
    "a campaign that is a float": export(*MEMBERS, campaign_id=17.0),
    "a total that is a float": export(*MEMBERS, total_records=2.0),
    "no error, in a word": export(*MEMBERS, error="null"),
    "an empty list of errors": export(*MEMBERS, error=[]),
    "one page of one": export(*MEMBERS, pages=1, next=None),
}


@pytest.mark.parametrize("kind", READ)
def test_an_untidy_export_is_read_as_untidy_answers_are(
    ledger: Database, warehouse: Database, odd: Host, kind: str
) -> None:
    odd.body = READ[kind]
    fill(warehouse, 5)
    assert stage()[1]["absent"] == 3


UNFIT = {
    "an error in words": export(*MEMBERS, error="MEMORY EXHAUSTED, RESULT IS PARTIAL"),
    "an error within": export(*MEMBERS, error={"code": 1, "message": "time limit"}),
    "an error that is a number": export(*MEMBERS, code="", error=7, total_records=""),
    "a total in thousands": export(*MEMBERS, total_records="60,000"),
    "a total of another number": export(*MEMBERS, total_records=3.0),
    "a total in words": export(*MEMBERS, total_records="many"),
    "a page of four": export(*MEMBERS, total_records="", pages=4),
    "a next page": export(*MEMBERS, next="/campaign.php?page=2"),
    "pages within": export(*MEMBERS, meta={"has_more": True}),
    "records that are numbers": export(1, 2, total_records=""),
    "a fatal error behind": TIDY + b"<b>Fatal error</b>: Allowed memory size of 128 bytes exhausted",
    "a warning of the database": b"<b>Warning</b>: mysqli_query(): MySQL server has gone away" + TIDY,
    "a page of HTML before": b"<html><body>maintenance</body></html>" + TIDY,
    "a campaign in a list": export(*MEMBERS, campaign_id=["17", "18"]),
    "another code": export(*MEMBERS, code=206),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_an_export_that_says_itself_that_it_is_none_to_rely_on_settles_nothing(
    ledger: Database, warehouse: Database, odd: Host, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    odd.body = UNFIT[kind]
    fill(warehouse, 5)
    summary, _ = run()
    assert (states(ledger), len(odd.coded)) == ({"coded": 5}, 5)
    assert "The export of campaign 17 is left aside" in caplog.text
    assert "exports" in summary["news"]["firing"]


# Most of a campaign are strangers


@pytest.mark.parametrize("found", [0, 1, 29])
def test_when_most_of_a_campaign_would_be_strangers_none_is_and_that_is_told(
    ledger: Database, warehouse: Database, odd: Host, found: int
) -> None:
    fill(warehouse, 60)
    odd.body = export(*(record(n, "5" if n == 1 else "") for n in range(61 - found, 1_061 - found)))
    summary, complaints = run()
    assert (states(ledger), len(odd.coded), complaints) == ({"coded": 60}, 60, [])
    assert (
        f"17 ({60 - found} of 60 contacts that wait are of customers who aren't in it"
        in (summary["news"]["firing"]["exports"])
    )


def test_the_alert_resolves_with_an_export_that_says_something(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    fill(warehouse, 60)
    odd.body = export(*(record(n) for n in range(100, 1_100)))
    assert "exports" in run()[0]["news"]["firing"]
    fill(warehouse, 5, first=101)
    ledger.execute(LATER)
    odd.body = export(*(record(n, "5") for n in range(1, 61)), *(record(n) for n in range(61, 1_100)))
    run("next")
    assert ledger.rows("SELECT left_aside FROM wolkvox.export") == [(None,)]


def test_of_few_contacts_that_are_all_strangers_each_is_sent(ledger: Database, warehouse: Database, odd: Host) -> None:
    """Nothing shows that the export writes ids as we do, and a handful of requests is cheap."""
    fill(warehouse, 5)
    odd.body = export(*(record(n) for n in range(100, 1_100)))
    summary, _ = run()
    assert (states(ledger), summary["absent"]) == ({"coded": 5}, 0)
    assert "exports" not in summary["news"]["firing"]


# What wolkvox took itself


@pytest.mark.parametrize(
    "later",
    [
        export(*(record(n) for n in range(1, 41))),  # a copy of before
        export(*(record(n, "5") for n in range(2, 41))),  # one is missing
        export(*(record(n, "5") for n in range(1, 10)), *(record(n) for n in range(10, 41))),  # half a copy
        export(*(record(str(n), "5") for n in range(1, 41))),  # ids of another kind
    ],
    ids=["an old copy", "a part", "a part of the codes", "other ids"],
)
def test_an_export_that_contradicts_what_wolkvox_took_since_settles_nothing(
    ledger: Database, warehouse: Database, odd: Host, later: bytes
) -> None:
    fill(warehouse, 20)
    odd.body = export(*(record(n) for n in range(1, 41)))
    run()
    assert states(ledger) == {"coded": 20}
    fill(warehouse, 5, first=38)
    ledger.execute(LATER)
    odd.body = later
    summary, _ = run("next")
    assert (states(ledger), summary["absent"]) == ({"coded": 25}, 0)
    assert "17 (of 20 customers whose code wolkvox took in the hour before" in summary["news"]["firing"]["exports"]


# Strangers are looked for again


def test_a_stranger_is_looked_for_again_and_sent_once_there(ledger: Database, warehouse: Database, odd: Host) -> None:
    fill(warehouse, 5)
    odd.body = export(*(record(n) for n in range(1, 4)))
    summary, complaints = run()
    assert (sorted(odd.coded), complaints) == ([f"customer-{n}" for n in range(1, 4)], [])
    assert ledger.rows(WAITING) == [("not_in_campaign", False, 2)]
    assert (summary["absent"], summary["waiting"], summary["oldest_waiting"]) == (2, 0, None)
    ledger.execute(LATER)
    run("without a request")
    assert (len(odd.exported), len(odd.coded)) == (1, 3), "none is made for strangers alone"
    fill(warehouse, 1, first=9)
    odd.body = export(*(record(n, "5") for n in range(1, 4)), record(5), record(9))
    run("when one has come")
    assert sorted(odd.coded)[3:] == ["customer-5", "customer-9"]
    assert ledger.rows(WAITING) == [("not_in_campaign", False, 1)]


@pytest.mark.parametrize("protected", ["10 minutes", None])
def test_a_stranger_is_rejected_when_the_protection_or_a_day_is_over_and_counts_as_rejected(
    ledger: Database, warehouse: Database, odd: Host, protected: str | None
) -> None:
    fill(warehouse, 60)
    odd.body = export(*(record(n) for n in range(1, 41)))
    run()
    assert states(ledger) == {"coded": 40, "pending": 20}
    ledger.execute(
        "UPDATE wolkvox.codification SET protected_until = now() + %s::interval WHERE state = 'pending'", protected
    )
    ledger.execute(LATER)
    fill(warehouse, 1, first=40)
    odd.body = export(*(record(n, "5") for n in range(1, 41)))
    run("too early")
    assert states(ledger)["pending"] == 20
    ledger.execute(A_DAY_LATER + " WHERE state = 'pending'")
    ledger.execute("UPDATE wolkvox.codification SET protected_until = now() WHERE protected_until IS NOT NULL")
    ledger.execute(LATER)
    summary, complaints = run("in time")
    assert states(ledger)["rejected"] == 20
    assert (summary["failed_ratio"], summary["not_in_campaign"], summary["absent"]) == (1.0, 20, 0)
    assert ["were rejected" in complaint for complaint in complaints] == [True]
    assert len(set(odd.coded)) == 40, "no request was made for them"


def test_a_stranger_is_not_rejected_by_an_export_that_has_none_of_the_others(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    """It may write ids otherwise than the one before: wolkvox decides."""
    fill(warehouse, 5)
    contact(warehouse, "1023456789")
    odd.body = export(*(record(n) for n in range(1, 6)))
    run()
    ledger.execute("UPDATE wolkvox.codification SET settled_at = settled_at - interval '2 hours' WHERE state = 'coded'")
    ledger.execute(LATER)
    numbered(warehouse, 3)
    odd.body = export(*(record(f"X-{FIRST + n}") for n in range(3)), record("X-1023456789"))
    assert stage("too early")[1]["absent"] == 1
    ledger.execute(A_DAY_LATER + " WHERE reason = 'not_in_campaign'")
    ledger.execute(LATER)
    _, counts = stage("in time")
    assert (counts["not_in_campaign"], counts["records"]) == (0, 4)


def test_a_stranger_is_due_once_an_export_was_asked_for_after_its_time(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    """Else it would be sent where exports come every five minutes, and its time is over between two of them."""
    fill(warehouse, 5)
    odd.body = export(record(1), record(2))
    stage()
    assert ledger.rows(
        "SELECT DISTINCT not_before - staged_at FROM wolkvox.codification WHERE reason = 'not_in_campaign'"
    ) == [(timedelta(days=1, minutes=5),)]


def test_a_stranger_who_is_looked_for_again_tries_no_suspended_campaign(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    """wolkvox would refuse it, and the campaign would be suspended for longer."""
    fill(warehouse, 5)
    for customer in ("1023456001", "1023456002", "1023456003"):
        contact(warehouse, customer, ago="0 seconds")
    odd.body = export(*(record(n) for n in range(1, 6)))
    stage()
    ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
        " VALUES ('0041', 'preview', '17', 'refused', now() - interval '2 minutes', now() - interval '1 minute')"
    )
    trials = campaign_trials(ledger.connection, "0041", AT_ONCE, 100)
    assert [one.customer_id.partition("-")[0] for one in trials] == ["customer"] * 3
    ledger.execute(A_DAY_LATER + ", reason = 'not_in_campaign'")
    ledger.execute("UPDATE wolkvox.suspended_campaign SET until = now() - interval '1 minute'")
    assert len(campaign_trials(ledger.connection, "0041", AT_ONCE, 100)) == 3, "their time is over"


def test_a_person_sends_a_stranger_at_once_and_waits_for_no_export(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    fill(warehouse, 5)
    fill(warehouse, 5, campaign="18")
    odd.body = export(record(1), record(2))
    stage("first")
    assert odd.exported == ["17", "18"]
    ledger.execute(LATER)
    run("by hand", customer_id="customer-4", by_hand=True)
    assert (odd.exported, odd.coded) == (["17", "18"], ["customer-4"] * 2)


# Who carries the code already


def already(ledger: Database, warehouse: Database, odd: Host, *records: dict[str, object], **settings: object) -> str:
    """What became of a contact of now whose customer has these records."""
    odd.connect(**settings)
    contact(warehouse, "7")
    odd.body = export(*records, record(8))
    stage()
    row = ledger.rows("SELECT state, reason FROM wolkvox.codification WHERE customer_id = '7'")[0]
    return " ".join(map(str, row))


def test_whoever_carries_the_code_and_was_left_alone_since_needs_no_request(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    assert already(ledger, warehouse, odd, record("7", "5"), record("7", "5")) == "coded already_coded"


OPEN: dict[str, list[dict[str, object]]] = {
    "recalled": [record("7", "5", resultado="CLEAN", llamadas="0", fecha="")],
    "recalled after calls": [record("7", "5", resultado="CLEAN", llamadas="2")],
    "twice, once open": [record("7", "5"), record("7")],
    "twice, once recalled": [record("7", "5"), record("7", "5", resultado="CLEAN")],
    "twice, once in other letters": [record("7", "5"), record("07")],
    "dialled since": [record("7", "5", fecha="2099-01-01 10:00:00")],
    "dialled on a date of another form": [record("7", "5", fecha="01/02/2020 10:00")],
    "dialled on no date": [record("7", "5", fecha="")],
    "without a result": [{"id_cliente": "7", "cod_rslt1": "5", "llamadas": "1", "fecha": "2020-01-01 10:00:00"}],
    "without calls": [{"id_cliente": "7", "cod_rslt1": "5", "resultado": "ANSWER", "fecha": "2020-01-01 10:00:00"}],
    "with dots": [record("7.", "5")],
}


@pytest.mark.parametrize("kind", OPEN)
def test_whoever_carries_the_code_and_may_be_dialled_all_the_same_is_sent(
    ledger: Database, warehouse: Database, odd: Host, kind: str
) -> None:
    assert already(ledger, warehouse, odd, *OPEN[kind]) == "pending None"


@pytest.mark.parametrize(
    ("records", "became"),
    [
        ([record("7", "99")], "rejected already_handled"),
        ([record("7", "99", fecha="01/02/2020 10:00")], "rejected already_handled"),
        ([record("7", "99", resultado="CLEAN")], "pending None"),
        ([record("7", "99"), record("7")], "pending None"),
    ],
)
def test_only_whom_the_dialler_is_through_with_is_left_out(
    ledger: Database, warehouse: Database, odd: Host, records: list[dict[str, object]], became: str
) -> None:
    assert already(ledger, warehouse, odd, *records, skip_handled=True) == became


@pytest.mark.parametrize("code", ["null", "NULL", "None", "nan", "-", "--", "#N/A"])
def test_a_word_for_nothing_is_no_code_that_an_agent_gave(
    ledger: Database, warehouse: Database, odd: Host, code: str
) -> None:
    busy = record("7", code, resultado="BUSY")
    assert already(ledger, warehouse, odd, busy, skip_handled=True) == "pending None"


@pytest.mark.parametrize(
    ("ours", "theirs", "state"),
    [("5", "05", "pending"), ("venta", "VENTA", "pending"), ("5", "5.0", "coded"), ("5", 5.0, "coded")],
)
def test_a_code_that_is_written_otherwise_is_no_other_code(
    ledger: Database, warehouse: Database, odd: Host, ours: str, theirs: object, state: str
) -> None:
    odd.connect(skip_handled=True)
    contact(warehouse, "7", ours)
    odd.body = export({**record("7", "5"), "cod_rslt1": theirs}, record("8"))
    stage()
    assert ledger.value("SELECT state FROM wolkvox.codification") == state


@pytest.mark.parametrize(("ours", "theirs"), [("5", "05"), ("venta", "VENTA"), ("5", "5.0"), ("5", 5.0)])
def test_an_export_that_writes_codes_otherwise_is_no_old_copy(
    ledger: Database, warehouse: Database, odd: Host, ours: str, theirs: object
) -> None:
    for customer in ("7", "8", "9"):
        contact(warehouse, customer, ours)
    odd.body = export(*(record(customer) for customer in "789"))
    run()
    ledger.execute(LATER)
    contact(warehouse, "6", ours)
    odd.body = export(*({**record(customer, "5"), "cod_rslt1": theirs} for customer in "789"), record("6"))
    summary, _ = run("next")
    assert "exports" not in summary["news"]["firing"]
    assert ledger.value("SELECT left_aside FROM wolkvox.export") is None


def test_those_left_out_on_request_make_no_run_red(ledger: Database, warehouse: Database, odd: Host) -> None:
    odd.connect(skip_handled=True)
    fill(warehouse, 60)
    odd.body = export(*(record(n, "99") for n in range(1, 61)))
    summary, complaints = run()
    assert (summary["already_handled"], summary["failed_ratio"], complaints) == (60, 0.0, [])
    assert "refusals" not in summary["news"]["firing"]


def test_the_code_that_an_earlier_contact_gave_says_nothing_of_a_later_one(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    contact(warehouse, "7", ago="2 hours")
    odd.body = export(record("7"), record("8"))
    run()
    contact(warehouse, "7")
    ledger.execute(LATER)
    odd.body = export(record("7", "5"), record("8"))
    run("next")
    assert odd.coded == ["7", "7"]


@pytest.mark.parametrize("date", ["2020-01-01 10:00:00", "now"])
def test_a_request_whose_answer_was_lost_is_not_made_again_when_the_code_shows(
    ledger: Database, warehouse: Database, odd: Host, date: str
) -> None:
    """Even where the date that is shown is that of our own request."""
    contact(warehouse, "7")
    odd.body = b""
    stage("first")
    ledger.execute("UPDATE wolkvox.codification SET sent_at = now(), attempts = 1, reason = 'unknown_timeout'")
    ledger.execute(LATER)
    local = ledger.value("SELECT to_char(now() AT TIME ZONE 'America/Bogota', 'YYYY-MM-DD HH24:MI:SS')")
    odd.body = export(record("7", "5", fecha=local if date == "now" else date), record("8"))
    run("next")
    assert (states(ledger), odd.coded) == ({"coded": 1}, [])


# When exports are asked for, and what comes first


def test_a_campaign_that_contacts_give_two_types_is_asked_for_once(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    fill(warehouse, 5)
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT 'predictive', campaign_id, customer_id, cod_act, NULL, NULL,"
        " contacted_at FROM contacted_customers"
    )
    odd.body = export(record(1), record(2))
    _, counts = stage()
    assert (odd.exported, counts["absent"]) == (["17"], 6)


def test_an_export_that_contradicts_the_contacts_of_one_type_settles_none_of_the_other(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    fill(warehouse, 20)
    odd.body = export(*(record(n) for n in range(1, 21)))
    run()
    ledger.execute(LATER)
    warehouse.execute(
        "INSERT INTO contacted_customers SELECT 'predictive', campaign_id, customer_id, cod_act, NULL, NULL,"
        " contacted_at + interval '1 second' FROM contacted_customers"
    )
    contact(warehouse, "7")
    odd.body = export(*(record(n) for n in range(1, 11)))  # an old copy: the codes of a moment ago are not there
    _, counts = stage("next")
    assert (counts["absent"], counts["records"]) == (0, 21)


def test_what_speaks_against_an_export_in_one_type_keeps_it_from_settling_the_other(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    fill(warehouse, 5)
    warehouse.execute("UPDATE contacted_customers SET type_campaign = 'predictive'")
    fill(warehouse, 60, first=2_001)
    odd.body = export(*(record(n, "5") for n in range(1, 1_001)))
    _, counts = stage()
    assert (counts["already_coded"], counts["records"]) == (0, 65)


def test_older_contacts_retire_before_an_export_settles_anything(
    ledger: Database, warehouse: Database, odd: Host
) -> None:
    for code, ago in (("5", "3 hours"), ("6", "2 hours"), ("5", "10 minutes")):
        contact(warehouse, "7", code, ago)
    odd.body = export(record("7", "5"), record("8"))
    stage("first", dry_run=True)
    assert odd.exported == []
    _, counts = stage("second")
    assert counts["superseded"] == 2
    assert ledger.rows("SELECT state, reason FROM wolkvox.codification ORDER BY contacted_at") == [
        ("superseded", "newer_contact"),
        ("superseded", "newer_contact"),
        ("coded", "already_coded"),
    ]


def test_what_waited_too_long_expires_whatever_an_export_says(ledger: Database, warehouse: Database, odd: Host) -> None:
    for customer in ("7", "8", "9"):
        contact(warehouse, customer, ago="29 days")
    stage("first")
    ledger.execute("UPDATE wolkvox.codification SET contacted_at = contacted_at - interval '11 days'")
    contact(warehouse, "10")
    ledger.execute(LATER)
    odd.body = export(record("7", "5"), record("8"), record("10"))
    assert stage("second")[1]["expired"] == 3
    assert states(ledger) == {"expired": 3, "pending": 1}


def test_what_exports_settled_is_judged_from_the_ledger(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    """A stage that ran twice has forgotten what it settled the first time."""
    connect(sandbox, export_preflight="on")
    sandbox.control(members={"17": [f"customer-{n}" for n in range(1, 41)]})
    fill(warehouse, 60)
    stage()
    ledger.execute(A_DAY_LATER + " WHERE reason = 'not_in_campaign'")
    ledger.execute(LATER)
    _, first = stage()
    _, second = stage()
    assert (first["not_in_campaign"], second["not_in_campaign"]) == (20, 0)
    summary, _ = verdict("run", second, [])
    assert summary["failed_ratio"] == 1.0
    assert json.dumps(summary)


@pytest.mark.parametrize(("ours", "theirs"), [("0", ""), ("50", "5"), ("10", "1"), ("0", "00a")])
def test_a_code_that_only_looks_alike_is_another_one(
    ledger: Database, warehouse: Database, odd: Host, ours: str, theirs: str
) -> None:
    fill(warehouse, 3)
    warehouse.execute("UPDATE contacted_customers SET cod_act = %s", ours)
    odd.body = export(*(record(n, theirs) for n in range(1, 4)))
    _, counts = stage()
    assert (counts["already_coded"], counts["records"]) == (0, 3)
