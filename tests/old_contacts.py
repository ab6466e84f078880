"""Contacts of months and years ago, for the tests of what retention does with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import psycopg
from conftest import Database
from contact_rows import row

from wolkvox.rules.contacts import Contact, read_contact

SECRET = "of the operation"
MONTH, HALF_A_YEAR = timedelta(days=31), timedelta(days=180)
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, customer_id, state, staged_at, settled_at, comment, response_msg
)
SELECT
    gen_random_uuid(), '0041', customer, state, moment, CASE WHEN state <> 'pending' THEN moment END, 'hers', 'of her'
FROM (SELECT %s AS customer, %s AS state, now() - %s * interval '1 day' AS moment) AS at
"""
NAMES = "SELECT customer_id FROM wolkvox.codification ORDER BY id"
NOW = datetime.now(timezone.utc)


def put(ledger: Database, customer: str | None, state: str, age: float) -> None:
    ledger.execute(INSERT, customer, state, age)


def names(ledger: Database) -> list[str | None]:
    return [name for (name,) in ledger.rows(NAMES)]


def states(ledger: Database) -> list[str]:
    return [state for (state,) in ledger.rows("SELECT state FROM wolkvox.codification ORDER BY id")]


def contact(age: timedelta, customer: str = "1001") -> Contact:
    values = row(contacted_at=NOW - age, customer_id=customer, campaign_id="17")
    return read_contact(values, operation="0041", zone=timezone.utc)


@contextmanager
def locked(ledger: Database, customer: str) -> Iterator[None]:
    """Somebody else holds a customer's rows locked meanwhile."""
    with psycopg.connect(ledger.uri) as other:
        other.execute("SELECT FROM wolkvox.codification WHERE customer_id = %s FOR UPDATE", (customer,))
        yield


ODD = {
    "an e-mail address as campaign": {"campaign_id": "ana.perez@example.com"},
    "a document as code": {"cod_act": "1023456789", "reason": "cod_act_unknown"},
    "a telephone number as second code": {"cod_act_2": "+57 300 123 45 67"},
    "a name as type": {"type_campaign": "ana perez"},
    "an e-mail address as channel": {"channel": "ana@example.com"},
    "a document as campaign": {"campaign_id": "1023456789"},
}
