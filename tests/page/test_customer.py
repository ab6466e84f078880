"""One customer: every call with its answer, kept as it happens, and a run for this one alone."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from conftest import Database
from crew import SQL, Crew, connect, fill, stage, states
from debian import program
from sandbox_server import SandboxServer

from wolkvox.errors import BadSetting
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.breaker import Breaker, open_breaker
from wolkvox.page.dictionary import dictionary
from wolkvox.page.evidence import Evidence, as_csv
from wolkvox.page.evidence_pdf import as_pdf
from wolkvox.page.limits import GaveUp
from wolkvox.page.reading import customer_of, known_of, named
from wolkvox.rules.retry_policy import RetryPolicy

WITH_CHANNEL = SQL.replace("contacted_at\nFROM", "contacted_at, channel, direct\nFROM")


def events(customer_id: str, *, unmasked: bool = True) -> list[list[tuple[Any, ...]]]:
    """What happened to each contact: name, state, reason and code."""
    found = known_of(customer_id, unmasked=unmasked).contacts
    return [
        [tuple(event[name] for name in ("name", "state", "reason", "code")) for event in one["events"]] for one in found
    ]


def customers(sandbox: SandboxServer) -> Counter[str]:
    """Calls by customer."""
    return Counter({key.rpartition("/")[2]: requests for key, requests in sandbox.stats()["calls_per_record"].items()})


def send(crew: Crew, **params: Any) -> None:
    """One run, by hand."""
    chunks, _ = stage(f"run {datetime.now(timezone.utc)}", by_hand=True, **params)
    for chunk in chunks:
        crew.codify(chunk).tally()


def test_every_call_keeps_its_answer(ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew) -> None:
    fill(warehouse, 1)
    busy = {"kind": "status", "status": 503, "msg": "busy"}
    sandbox.control(faults={"customer-1": [busy, busy, {"kind": "slow", "seconds": 4.0}]})
    connect(sandbox, call_timeout=2)
    send(crew)
    assert [event[:3] for event in events("customer-1")[0]] == [
        ("contacted", None, None),
        ("pulled", None, None),
        ("sent", "pending", "overloaded_503"),
        ("sent", "pending", "overloaded_503"),
        ("sent", "pending", "unknown_timeout"),
        ("waiting", "pending", "unknown_timeout"),
    ]
    send(crew, customer_id="customer-1")
    assert events("customer-1")[0][-1] == ("sent", "coded", None, "202")
    assert len(events("customer-1")[0]) == 6
    answered = known_of("customer-1", unmasked=True).contacts[0]["events"]
    moments = [event["at"] for event in answered]
    assert moments == sorted(moments)
    assert all(event["until"] > event["at"] for event in answered if event["name"] == "sent")
    assert answered[2]["message"] == "busy"


def test_what_was_answered_before_a_record_was_offered_again_is_kept(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 1)
    sandbox.control(faults={"customer-1": [{"kind": "invalid_code"}]})
    send(crew)
    assert states(ledger) == {"rejected": 1}
    send(crew, resend="rejected")
    assert [event[:2] for event in events("customer-1")[0]] == [
        ("contacted", None),
        ("pulled", None),
        ("sent", "rejected"),
        ("sent", "coded"),
    ]


def test_an_older_contact_names_the_one_that_replaced_it(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 1)
    warehouse.execute(
        "INSERT INTO contacted_customers"
        " SELECT type_campaign, campaign_id, customer_id, '6', NULL, NULL, contacted_at - interval '1 hour'"
        " FROM contacted_customers UNION ALL SELECT 'preview', '18', 'customer-1', '6', NULL, NULL, now()"
    )
    send(crew)
    other, newer, older = known_of("customer-1", unmasked=True).contacts
    assert (other["campaign_id"], newer["state"], older["state"]) == ("18", "coded", "superseded")
    assert older["superseded_by"] == newer["contacted_at"]
    assert other["superseded_by"] is None
    assert older["events"][-1]["name"] == "superseded"


def test_channel_and_directness_are_kept_where_the_warehouse_gives_them(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    warehouse.execute("ALTER TABLE contacted_customers ADD COLUMN channel text, ADD COLUMN direct text")
    fill(warehouse, 4)
    for number, channel, direct in ((1, " WhatsApp ", "true"), (2, "call", "no"), (3, None, "perhaps")):
        warehouse.execute(
            "UPDATE contacted_customers SET channel = %s, direct = %s WHERE customer_id = %s",
            *(channel, direct, f"customer-{number}"),
        )
    stage("run", sql=WITH_CHANNEL)
    kept = {n: known_of(f"customer-{n}", unmasked=True).contacts[0] for n in (1, 2, 3, 4)}
    assert {n: (one["channel"], one["direct"]) for n, one in kept.items()} == {
        1: ("WhatsApp", True),
        2: ("call", False),
        3: (None, None),
        4: (None, None),
    }


@pytest.mark.parametrize(
    ("columns", "kept"), [("channel", ("sms", None)), ("direct", (None, True)), ("DIRECT, channel", ("sms", True))]
)
def test_either_of_them_may_come_alone_and_in_any_order(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, columns: str, kept: tuple[object, ...]
) -> None:
    warehouse.execute(
        "ALTER TABLE contacted_customers ADD COLUMN channel text DEFAULT 'sms', ADD COLUMN direct bool DEFAULT true"
    )
    fill(warehouse, 1)
    stage("run", sql=SQL.replace("SELECT\n", f"SELECT {columns},\n"))
    (one,) = known_of("customer-1", unmasked=True).contacts
    assert (one["channel"], one["direct"]) == kept


def test_a_channel_that_comes_later_makes_no_second_contact(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, 1)
    stage("run")
    warehouse.execute("ALTER TABLE contacted_customers ADD COLUMN channel text DEFAULT 'sms', ADD COLUMN direct bool")
    _, counts = stage("next", sql=WITH_CHANNEL)
    assert (counts["new"], counts["known"]) == (0, 1)


def test_a_run_for_one_customer_stages_and_sends_exactly_this_one(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 50)
    stage("before", limit=1)  # the other 50 are in the ledger, and wait
    fill(warehouse, 10, first=51)
    chunks, counts = stage("one", by_hand=True, customer_id=" customer-60 ")
    assert (counts["pulled"], counts["new"], counts["records"], len(chunks)) == (1, 1, 1, 1)
    crew.codify(chunks[0]).tally()
    assert customers(sandbox) == {"customer-60": 1}
    assert states(ledger) == {"coded": 1, "pending": 50}


def test_it_is_sent_though_it_was_put_off_or_its_campaign_is_parked(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 2)
    stage("before", limit=1)
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 day', attempts = 3")
    ledger.execute(
        "INSERT INTO wolkvox.suspended_campaign "
        "VALUES ('0041', 'preview', '17', 'not_found', 'NO', now(), now() + interval '1 day')"
    )
    send(crew)
    assert customers(sandbox) == {}
    send(crew, customer_id="customer-2")
    assert customers(sandbox) == {"customer-2": 1}
    assert events("customer-2")[0][-1][:2] == ("sent", "coded")


def test_a_record_stands_for_its_customer_where_no_id_may_stand(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 3)
    assert named("customer-2") == "customer-2", "nothing is known of it"
    stage("before", limit=1)
    record = int(ledger.value("SELECT id FROM wolkvox.codification WHERE customer_id = 'customer-2'"))
    assert named("customer-2") == f"record {record}"
    send(crew, customer_id=named("customer-2"))
    assert customers(sandbox) == {"customer-2": 1}
    with pytest.raises(BadSetting, match=f"no record {record + 99} of this operation"):
        stage("other", by_hand=True, customer_id=f"record {record + 99}")
    assert customers(sandbox) == {"customer-2": 1}, "a record that isn't there stands for nobody, not for all"


def test_in_an_outage_it_is_the_one_that_tries(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 20)
    breaker = Breaker("0041", WolkvoxHook().settings.identity, ("wolkvox_codify", "outage"), RetryPolicy())
    open_breaker(ledger.connection, breaker, "overloaded_503", "message")
    send(crew, customer_id="customer-20")
    assert customers(sandbox) == {"customer-20": 1}
    assert ledger.value("SELECT count(*) FROM wolkvox.circuit_breaker") == 0


def test_a_customer_that_is_nobody_sends_nothing(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    fill(warehouse, 3)
    chunks, counts = stage("run", by_hand=True, customer_id="customer-9")
    assert (chunks, counts["pulled"]) == ([], 0)


def test_who_may_not_see_ids_sees_none_in_the_words_either(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 1)
    send(crew)
    masked = json.dumps(known_of("customer-1", unmasked=False).contacts, ensure_ascii=False)
    assert "customer-1" not in masked
    assert "customer_id ••• has been coded" in masked
    assert known_of("customer-1", unmasked=False).customer == "•••r-1"


def test_another_operation_knows_nothing_of_it(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    fill(warehouse, 1)
    stage("run")
    connect(sandbox, wolkvox_server="0077")
    assert known_of("customer-1", unmasked=True).contacts == []


# --- the evidence


@pytest.fixture
def evidence(ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew) -> Evidence:
    fill(warehouse, 1)
    sandbox.control(
        faults={"customer-1": [{"kind": "status", "status": 503, "msg": "=no hay servicio, “más tarde” ☎"}]}
    )
    send(crew)
    return known_of("customer-1", unmasked=True)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_csv_carries_its_origin_and_the_digest_of_its_rows(evidence: Evidence, language: str) -> None:
    text = as_csv(evidence, dictionary(language)).decode("utf-8-sig")
    heading, _, table = text.partition("\r\n\r\n")
    said = dict(csv.reader(io.StringIO(heading)))
    assert said["SHA-256"] == sha256(table.encode()).hexdigest() == evidence.digest
    assert said[dictionary(language)("evidence.operation")] == "0041"
    assert said[dictionary(language)("evidence.zone")] == "America/Bogota"
    assert said[dictionary(language)("evidence.made_at")].endswith("-05:00")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["event"] for row in rows] == ["contacted", "pulled", "sent", "sent"]
    assert rows[2]["message"] == "'=no hay servicio, “más tarde” ☎"
    assert rows[3]["state"] == "coded"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pdf_says_the_same(evidence: Evidence, language: str, tmp_path: Path) -> None:
    reader = program("pdftotext", "poppler-utils")
    path = tmp_path / "evidence.pdf"
    path.write_bytes(as_pdf(evidence, dictionary(language)))
    text = subprocess.run([reader, "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    flat = " ".join(text.split())
    assert evidence.digest in flat
    for said in ("0041", "America/Bogota", "customer-1", dictionary(language)("event.pulled"), "más tarde", "coded"):
        assert said in flat, said
    assert dictionary(language)("evidence.title") in flat


def test_a_row_that_is_changed_changes_the_digest(evidence: Evidence) -> None:
    before = evidence.digest
    evidence.contacts[0]["events"][0]["at"] = (datetime.now(timezone.utc) - timedelta(days=1)).isoformat()
    assert evidence.digest != before


@pytest.mark.slow  # a thousand contacts are many pages
def test_a_customer_with_a_thousand_contacts_fits(ledger: Database, sandbox: SandboxServer) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id,"
        " contacted_at, state, attempts, sent_at, settled_at, response_msg)"
        " SELECT gen_random_uuid(), '0041', 'preview', '1', 'many', now() - n * interval '1 hour', 'coded', 1, now(),"
        " now(), repeat('largo ', 100) FROM generate_series(1, 1200) AS n"
    )
    found = known_of("many", unmasked=True)
    assert (len(found.contacts), found.left_out) == (1_000, 200)
    assert dict(found.heading(dictionary("es")))["Contactos"] == "1000 de 1200, los más nuevos"
    assert as_pdf(found, dictionary("es")).startswith(b"%PDF")


def test_the_customer_of_a_record_is_found_by_its_number_in_its_operation_only(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, 1)
    stage("run")
    record = int(ledger.value("SELECT id FROM wolkvox.codification"))
    assert customer_of(record) == "customer-1"
    assert customer_of(record + 1) is None
    connect(sandbox, wolkvox_server="0077")
    assert customer_of(record) is None


def many(contacts: int, requests: int, message: str) -> Evidence:
    """A customer with many contacts, each of which was sent several times."""
    at = datetime(2026, 3, 1, 12, tzinfo=timezone.utc).isoformat()
    event = {
        "name": "sent",
        "at": at,
        "until": at,
        "state": "failed",
        "reason": "overloaded_503",
        "code": "503",
        "message": message,
        "run": "scheduled__2026-03-01T12:00:00+00:00",
        "requests": None,
        "digested": False,
    }
    contact = {
        "type_campaign": "preview",
        "campaign_id": "17",
        "campaign_name": "Cobranza",
        "customer_id": "1001",
        "cod_act": "5",
        "channel": "sms",
        "direct": True,
        "contacted_at": at,
        "protected_until": at,
        "superseded_by": None,
        "state": "failed",
        "digested": None,
        "events": [event] * requests,
    }
    return Evidence("0041", "1001", "America/Bogota", datetime.now(timezone.utc), [contact] * contacts)


def test_evidence_of_a_thousand_contacts_takes_seconds_however_long_the_answers_are() -> None:
    found = many(1_000, 8, "palabra " * 230 + "W" * 160)
    began = process_time()
    assert as_pdf(found, dictionary("es")).startswith(b"%PDF")
    traced = sys.gettrace() is not None  # by coverage, which makes each line slower
    assert process_time() - began < (15 if traced else 5)


def test_evidence_is_given_up_when_nobody_waits_for_it() -> None:
    asked = iter([False, False, True])
    with pytest.raises(GaveUp):
        as_pdf(many(3, 1, "NO"), dictionary("en"), lambda: next(asked))


def test_the_pdf_breaks_long_words_and_points_to_the_csv_for_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "evidence.pdf"
    path.write_bytes(as_pdf(many(1, 1, "W" * 2_000), dictionary("en")))
    reader = program("pdftotext", "poppler-utils")
    text = subprocess.run([reader, "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert "(the CSV has all of it)" in " ".join(text.split())
    assert 200 < text.count("W") < 320
    assert "W" * 2_000 in many(1, 1, "W" * 2_000).table()


def test_the_time_line_and_the_evidence_call_a_campaign_by_its_name(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, tmp_path: Path
) -> None:
    ledger.execute("INSERT INTO wolkvox.campaign VALUES ('0041', '17', 'preview', 'Cobranza', 'started')")
    fill(warehouse, 1)
    stage()
    found = known_of("customer-1", unmasked=True)
    assert found.contacts[0]["campaign_name"] == "Cobranza"
    file = tmp_path / "evidence.pdf"
    file.write_bytes(as_pdf(found, dictionary("es")))
    text = subprocess.run([program("pdftotext", "poppler-utils"), file, "-"], capture_output=True, text=True).stdout
    assert "preview 17 Cobranza" in text
