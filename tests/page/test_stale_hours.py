"""An hour is counted again when something that its figures are made of has changed, and only then."""

from __future__ import annotations

import re

import pytest
from conftest import Database

from wolkvox.ledger.connection import sql

INSERT = (
    "INSERT INTO wolkvox.codification"
    " (contact_key, operation, type_campaign, campaign_id, customer_id, state, settled_at)"
    " SELECT gen_random_uuid(), '0041', 'preview', '17', n::text, 'coded', now() - n * interval '1 hour'"
    " FROM generate_series(2, 11) AS n"
)
MARKED = "SELECT count(DISTINCT hour) FROM wolkvox.dirty_hour"
FIRES_FOR = """
SELECT attname FROM pg_trigger
INNER JOIN pg_attribute ON attrelid = tgrelid AND attnum = ANY(tgattr)
WHERE tgrelid = 'wolkvox.codification'::regclass AND tgname = 'settled'
"""


@pytest.fixture
def counted(ledger: Database) -> Database:
    """Contacts that were coded in ten hours, none of which is marked."""
    ledger.execute(INSERT)
    ledger.execute("DELETE FROM wolkvox.dirty_hour")
    return ledger


@pytest.mark.parametrize(
    "noted",
    [
        "audited_at = now(), confirmed_at = now(), audit = NULL, shown = NULL",
        "audited_at = now(), audit = 'mismatch', shown = '99'",
        "protected_until = now() + interval '1 day'",
        "comment = NULL, contact_key = gen_random_uuid()",
        "slot = 'ab12cd34/0'",
        "chunk_id = 'a', chunk_number = 1, dag_run_id = 'run'",
    ],
)
def test_what_is_noted_of_a_contact_makes_no_hour_stale(counted: Database, noted: str) -> None:
    counted.execute(f"UPDATE wolkvox.codification SET {noted}")
    assert counted.value(MARKED) == 0


@pytest.mark.parametrize(
    "changed",
    [
        "state = 'rejected'",
        "reason = 'already_coded'",
        "campaign_id = '18'",
        "type_campaign = 'predictive'",
        "operation = 'other'",
        "contacted_at = now()",
        "response_msg = 'another message'",
        "state = 'pending', settled_at = NULL",
    ],
)
def test_what_the_figures_are_made_of_makes_its_hour_stale(counted: Database, changed: str) -> None:
    counted.execute(f"UPDATE wolkvox.codification SET {changed}")
    assert counted.value(MARKED) == 10


def test_the_figures_are_made_of_nothing_that_is_not_looked_out_for(ledger: Database) -> None:
    """Of the customer they hold nothing: it is taken out of the vendor's messages."""
    read = set(re.findall(r"\brecord\.(\w+)", sql("count_spans") + sql("span_lags"))) - {"customer_id"}
    assert read == {column for (column,) in ledger.rows(FIRES_FOR)}
