"""What the database itself refuses, by its catalogue: rows without a key, states nobody knows, counts below nought."""

from __future__ import annotations

import re

import psycopg
import pytest
from conftest import Database

from wolkvox.rules.contacts import TYPES
from wolkvox.rules.states import UNSETTLED, State

WITHOUT_A_KEY = """
SELECT relname FROM pg_class
WHERE relnamespace = 'wolkvox'::regnamespace AND relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'p')
"""
COUNTS = """
SELECT relname, attname FROM pg_attribute
INNER JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r' AND relnamespace = 'wolkvox'::regnamespace
WHERE attname = ANY(%s) AND NOT attisdropped
"""
CHECKED = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'c' AND conrelid = format('wolkvox.%%I', %s::text)::regclass
    AND conkey @> ARRAY[(
        SELECT attnum FROM pg_attribute
        WHERE attrelid = format('wolkvox.%%I', %s::text)::regclass AND attname = %s
    )]
"""
CONTACT = (
    "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, state, settled_at, audit, attempts)"
    " VALUES (gen_random_uuid(), '0041', {type}, {state}, {settled_at}, {audit}, {attempts})"
)
SOUND = {"type": "'preview'", "state": "'coded'", "settled_at": "now()", "audit": "NULL", "attempts": "1"}


def columns(ledger: Database, *names: str) -> list[tuple[str, str]]:
    """The table and name of every column of these names."""
    return ledger.rows(COUNTS, list(names))


def checks(ledger: Database, table: str, column: str) -> list[str]:
    """The checks of a column."""
    return [check for (check,) in ledger.rows(CHECKED, table, table, column)]


def test_every_table_has_a_primary_key(ledger: Database) -> None:
    assert ledger.rows(WITHOUT_A_KEY) == []


def test_every_rule_holds_for_the_rows_that_are_there(ledger: Database) -> None:
    unvalidated = "SELECT conname FROM pg_constraint WHERE connamespace = 'wolkvox'::regnamespace AND NOT convalidated"
    assert ledger.rows(unvalidated) == []


def test_every_column_of_states_knows_the_states_and_no_other(ledger: Database) -> None:
    of_records = [one for one in columns(ledger, "state") if one != ("run", "state")]
    assert len(of_records) == 4
    for table, column in of_records:
        check = next(each for each in checks(ledger, table, column) if each.startswith("CHECK ((state = ANY"))
        assert set(re.findall(r"'(\w+)'", check)) == set(State), table


def test_a_record_is_settled_exactly_when_its_state_is_final(ledger: Database) -> None:
    (check,) = [each for each in checks(ledger, "codification", "settled_at") if "settled_at IS NULL" in each]
    assert set(re.findall(r"'(\w+)'", check)) == set(UNSETTLED)


def test_every_count_is_checked_not_to_be_below_nought(ledger: Database) -> None:
    counts = columns(ledger, "attempts", "requests", "records", "trials", "coded", "dialled_after", "dialled_before")
    assert len(counts) >= 12
    unchecked = [one for one in counts if ">" not in " ".join(checks(ledger, *one))]
    assert unchecked == []


def test_every_campaign_type_is_one_that_wolkvox_has(ledger: Database) -> None:
    """Of invalid records, and of what counts them, it may be anything."""
    of_anything = {("span_count", "type_campaign"), ("monthly_total", "type_campaign")}
    for table, column in set(columns(ledger, "type_campaign")) - of_anything:
        assert all(f"'{kind}'" in " ".join(checks(ledger, table, column)) for kind in TYPES), table


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "'pending'"},
        {"state": "'sending'"},
        {"settled_at": "NULL"},
        {"type": "'predictiva'"},
        {"audit": "'lost'"},
        {"attempts": "-1"},
    ],
)
def test_a_record_that_contradicts_itself_is_refused(ledger: Database, wrong: dict[str, str]) -> None:
    ledger.execute(CONTACT.format(**SOUND))
    with pytest.raises(psycopg.errors.CheckViolation):
        ledger.execute(CONTACT.format(**{**SOUND, **wrong}))


@pytest.mark.parametrize(
    "right",
    [
        {"state": "'pending'", "settled_at": "NULL"},
        {"state": "'sending'", "settled_at": "NULL"},
        {"state": "'invalid'", "type": "'predictiva'"},
        {"state": "'invalid'", "type": "NULL"},
        *({"audit": f"'{audit}'"} for audit in ("mismatch", "missing", "overtaken", "open_again")),
    ],
)
def test_a_record_that_is_sound_is_kept(ledger: Database, right: dict[str, str]) -> None:
    ledger.execute(CONTACT.format(**{**SOUND, **right}))


@pytest.mark.parametrize(
    "wrong",
    [
        "INSERT INTO wolkvox.quota (account, day, requests) VALUES ('0041', '2026-03-02', -1)",
        "INSERT INTO wolkvox.reservation (name, account, day, requests) VALUES (gen_random_uuid(), '0041', now(), 0)",
        "INSERT INTO wolkvox.campaign VALUES ('0041', '17', 'preview', 'Cobranza', 'paused')",
        "INSERT INTO wolkvox.campaign VALUES ('0041', '17', 'manual', 'Cobranza', 'started')",
        "INSERT INTO wolkvox.monthly_total VALUES ('0041', '2026-03-01', 'preview', '17', 'sent', NULL, 1)",
        "INSERT INTO wolkvox.impact VALUES ('0041', '2026-03-01', 'preview', '17', 1, 0, 0, 0, '{1,2}')",
        "INSERT INTO wolkvox.impact VALUES ('0041', '2026-03-01', 'preview', '17', 1, 0, 0, -1,"
        " '{0,0,0,0,0,0,0,0,0,0,0,0}')",
        "INSERT INTO wolkvox.impact VALUES ('0041', '2026-03-01', 'preview', '17', 1, 0, 0, 0,"
        " '{0,0,0,0,0,0,0,0,0,0,0,-1}')",
        "INSERT INTO wolkvox.suspended_campaign VALUES ('0041', 'manual', '17', 'not_found', NULL, now(), now())",
        "WITH of AS (INSERT INTO wolkvox.codification (contact_key, operation) VALUES (gen_random_uuid(), '0041')"
        " RETURNING id) INSERT INTO wolkvox.dial SELECT id, now(), 'chance' FROM of",
    ],
)
def test_what_makes_no_sense_is_refused(ledger: Database, wrong: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        ledger.execute(wrong)


def test_a_chunk_belongs_to_a_run_and_goes_with_it(ledger: Database) -> None:
    chunk = (
        "INSERT INTO wolkvox.chunk (chunk_id, operation, dag_id, dag_run_id, number) VALUES ('a', '0041', 'd', 'r', 1)"
    )
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        ledger.execute(chunk)
    ledger.execute("INSERT INTO wolkvox.run VALUES ('0041', 'd', 'r', now(), now())")
    ledger.execute(chunk)
    ledger.execute("DELETE FROM wolkvox.run")
    assert ledger.rows("SELECT FROM wolkvox.chunk") == []
